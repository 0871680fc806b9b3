import type { Delivery, Remote, RemoteEvents } from '../channel.ts'
import { failureFrame } from '../error-frames.ts'
import { ToolRefused } from '../errors.ts'
import { batchFrame, type Frame, type RawId, slice, withResult } from '../frame.ts'
import { withoutItems } from '../json/edit.ts'
import { locate, members, valueAt } from '../json/locate.ts'
import { type Log, printable } from '../log.ts'
import { createKnownTools, type KnownTools } from './known.ts'
import type { ToolRules } from './options.ts'
import { openPins, type PinPlace } from './pins.ts'

/** A server behind the rules of its user, with the pins that they may need. */
export function openToolRules(
  open: (events: RemoteEvents) => Remote,
  events: RemoteEvents,
  rules: ToolRules,
  place: PinPlace,
  log: Log,
): Remote {
  const pins = rules.pin && openPins(place, rules.pin === 'accept', log)
  const remote = withToolRules(open, events, createKnownTools(rules, pins, place.server.host, log))
  if (pins === undefined) return remote
  return {
    ...remote,
    async close() {
      await Promise.all([pins.flush(), remote.close()])
    },
  }
}

/**
 * A server of which the host sees and calls only the tools that the user's rules let through. What a
 * rule hides is cut out of the lists and refused when it is called all the same; both hold in every
 * revision of the protocol, and inside batches.
 */
export function withToolRules(
  open: (events: RemoteEvents) => Remote,
  events: RemoteEvents,
  tools: KnownTools,
): Remote {
  /** The `tools/list` requests that wait for their answers. */
  const lists = new Set<RawId>()

  const remote = open({
    frame: (frame, owner) => events.frame(filtered(frame, owner), owner),
    lost(error, only) {
      if (only === undefined) lists.clear()
      else lists.delete(only)
      events.lost(error, only)
    },
    forgotten: events.forgotten,
  })

  function filtered(frame: Frame, owner: RawId | undefined): Frame {
    if (lists.size === 0) return frame
    if (frame.kind === 'batch') {
      return batchFrame((frame.parts ?? []).map((part) => filtered(part, owner)))
    }
    if (frame.kind !== 'response') return frame
    // Under a wrong id, in the answer to a list, it may still become the answer (src/relay.ts).
    if (!isList(frame.id) && !isList(owner)) return frame
    if (frame.result === undefined) return frame
    const result = slice(frame.chunks, frame.result)
    const dropped = tools.learn(result)
    if (dropped.length === 0) return frame
    return withResult(frame, withoutItems(result, locate(result, 'tools')!, dropped))
  }

  function isList(id: RawId | undefined): boolean {
    return id !== undefined && lists.has(id)
  }

  /** Why a message must not go out. */
  function objection(frame: Frame): ToolRefused | undefined {
    if (frame.method !== 'tools/call') return undefined
    const params =
      frame.params === undefined ? Buffer.from('{}') : slice(frame.chunks, frame.params)
    const name = soleName(params)
    if (name === undefined) return refused('A call that does not name its tool once was not sent.')
    const rule = tools.refusal(name)
    if (rule === undefined) return undefined
    return refused(
      `The tool ${printable(name)} is not available here: the bridge runs with ${rule}.`,
    )
  }

  function note(frame: Frame): void {
    if (frame.kind !== 'request') return
    if (frame.method === 'tools/list') lists.add(frame.id!)
    else lists.delete(frame.id!)
  }

  /** Sends, and forgets the lists in it when nothing more can come for them. */
  function pass(frame: Frame): Delivery {
    const parts = frame.kind === 'batch' ? (frame.parts ?? []) : [frame]
    for (const part of parts) note(part)
    const delivery = remote.send(frame)
    const ids = parts.filter(({ method }) => method === 'tools/list').map(({ id }) => id!)
    if (ids.length === 0) return delivery
    const forget = (): void => ids.forEach((id) => lists.delete(id))
    delivery.done.then((outcome) => outcome === 'complete' && forget(), forget)
    return delivery
  }

  function batch(frame: Frame): Delivery {
    const parts = frame.parts ?? []
    const kept = parts.filter((part) => {
      const error = objection(part)
      if (error === undefined) return true
      if (part.id !== undefined) void events.frame(failureFrame(part.id, error))
      return false
    })
    if (kept.length === parts.length) return pass(frame)
    return kept.length === 0 ? settled(Promise.resolve('complete')) : pass(batchFrame(kept))
  }

  return {
    send(frame) {
      if (frame.kind === 'batch') return batch(frame)
      const error = objection(frame)
      return error === undefined ? pass(frame) : settled(Promise.reject(error))
    },
    acceptsBatches: remote.acceptsBatches,
    close: remote.close,
  }
}

/** The tool that a call names: two names would let the server call another tool than was judged. */
function soleName(params: Buffer): string | undefined {
  const root = locate(params)!
  const names = [...members(params, root)].filter(({ name }) => name === 'name')
  const name = names.length === 1 ? valueAt(params, 'name') : undefined
  return typeof name === 'string' ? name : undefined
}

function refused(message: string): ToolRefused {
  return new ToolRefused(message, { phase: 'request' })
}

function settled(done: Delivery['done']): Delivery {
  return { started: Promise.resolve(), done }
}
