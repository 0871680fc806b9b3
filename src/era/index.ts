import type { Delivery, Remote, RemoteEvents, ServerTap } from '../channel.ts'
import { ServerError } from '../errors.ts'
import { type Frame, withId } from '../frame.ts'
import { valueAt } from '../json/locate.ts'
import { type Answer, createAsking, refusal } from './ask.ts'
import { claimsOf, discoverRequest, paramsOf } from './claims.ts'
import { failed, follow, over, perform } from '../delivery.ts'
import { discoverEvidence, initializeEvidence } from './evidence.ts'
import { modernVersion } from './headers.ts'
import { createKnowledge, type KnowledgeContext } from './knowledge.ts'
import { initializeTooLate, legacyServer, malformed, noMutualVersion } from './refusals.ts'
import { heard, tapped } from './tap.ts'
import type { Translator, TranslatorContext } from './translator.ts'
import { MODERN_VERSION } from './vocabulary.ts'
import { otherVersion, withVersion } from './other-version.ts'

/** What the era layer needs of the program. */
export interface EraContext extends KnowledgeContext {
  readonly events: RemoteEvents
  /** Host name of the server, as people know it. */
  readonly host: string
  readonly random: () => string
  /** Looks on at what is said to the server when that is not what the host says. */
  readonly tap?: ServerTap | undefined
}

/**
 * A server whose era is found out from the host's own first message, and translated when it is not
 * the host's. Between two sides of one era every frame goes straight through.
 */
export function withEra(open: (events: RemoteEvents) => Remote, context: EraContext): Remote {
  const { events, log, host, protocol, remembered, remember, now, random, tap } = context
  const inner = open({
    frame: (frame, owner) => fromServer(frame, owner),
    lost: (error, only) => lost(error, only),
    forgotten: events.forgotten,
  })
  const asking = createAsking(inner.send)
  let fromHost = undecided
  let fromServer: RemoteEvents['frame'] = (frame, owner) =>
    asking.take(frame, owner) ? undefined : events.frame(frame, owner)
  let lost: RemoteEvents['lost'] = (error, only) => {
    asking.lost(error, only)
    events.lost(error, only)
  }
  /** Settles when the era is decided; frames that need the decision wait for it. */
  let deciding: Promise<void> | undefined
  const knowledge = createKnowledge(context)
  let probes = 0

  /** From here on both sides speak the same era. */
  function passThrough(send: (frame: Frame) => Delivery): void {
    fromHost = send
    fromServer = events.frame
    lost = events.lost
  }

  function translate(translator: Translator, speaks: 'legacy' | 'modern'): void {
    const direction = `${speaks === 'modern' ? 'legacy' : 'modern'} host, ${speaks} server`
    log.state({ part: 'era', what: 'translating', direction, server: speaks })
    tap?.translates()
    fromHost = translator.send
    fromServer =
      tap === undefined
        ? translator.fromServer
        : (frame, owner) => {
            tap.received(frame)
            return translator.fromServer(frame, owner)
          }
    lost = translator.lost
    ends = translator
  }
  let ends: Remote = inner // what is to be closed

  const translatorContext: TranslatorContext = {
    server: tap === undefined ? inner : tapped(inner, tap),
    events,
    log,
    host,
    now,
    random,
    standsFor: tap?.standsFor ?? (() => {}),
  }

  /** The host's answer, as the server gave it. */
  function relay(answer: Answer, request: Frame): Delivery {
    if (answer.kind === 'failure') return failed(answer.error)
    if (answer.kind === 'error' && answer.frame === undefined) {
      return failed(new ServerError(answer.error, answer.httpStatus ?? 200))
    }
    void events.frame(withId(answer.frame!, request.id!))
    return over()
  }

  function undecided(frame: Frame): Delivery {
    if (deciding !== undefined) {
      // The host's answers may be what the server needs before it answers `initialize`.
      if (frame.kind === 'response') return inner.send(frame)
      const decided = deciding
      return perform(async (onStart) => {
        await decided
        return follow(fromHost(frame), onStart)
      })
    }
    if (frame.kind !== 'request') return inner.send(frame)
    if (frame.method === 'server/discover') return decide((onStart) => probe(frame, onStart))
    if (modernVersion(frame) !== undefined) return decide((onStart) => openModern(frame, onStart))
    if (frame.method === 'initialize') return decide((onStart) => openLegacy(frame, onStart))
    return inner.send(frame)
  }

  function decide(work: (onStart: () => void) => Promise<Delivery>): Delivery {
    let decided = (): void => {}
    deciding = new Promise((resolve) => {
      decided = resolve
    })
    return perform(async (onStart) => {
      let delivery: Delivery
      try {
        delivery = await work(onStart)
      } finally {
        deciding = undefined
        decided()
      }
      return follow(delivery, onStart)
    })
  }

  /** A host of the initialize era. */
  async function openLegacy(initialize: Frame, onStart: () => void): Promise<Delivery> {
    if (protocol === 'legacy') {
      passThrough(inner.send)
      return inner.send(initialize)
    }
    const known = protocol === 'modern' ? 'modern-only' : (await remembered())?.era
    if (known === 'modern-only') {
      const answer = await discover(initialize, onStart)
      const way = await translated(initialize, answer)
      if (way !== undefined) return way
      if (answer.kind !== 'result') {
        // The server is not what it was, unless it is only out of order.
        if (protocol === 'modern' || discoverEvidence(answer).kind !== 'legacy') {
          return relay(answer, initialize)
        }
      }
      remember(undefined)
    }
    return followInitialize(initialize, onStart)
  }

  /** Sends the host's `initialize`: the answer to it tells the era. */
  async function followInitialize(initialize: Frame, onStart: () => void): Promise<Delivery> {
    let first = await asking.ask(initialize, onStart)
    let evidence = initializeEvidence(first)
    const other = otherVersion(evidence, initialize)
    if (other !== undefined) {
      const answer = await asking.ask(withVersion(initialize, other))
      const again = initializeEvidence(answer)
      if (evidence.kind === 'version' || again.kind === 'legacy') {
        first = answer
        evidence = again.kind === 'version' ? { kind: 'answer' } : again
      }
    }
    switch (evidence.kind) {
      case 'legacy':
        passThrough(inner.send)
        return relay(first, initialize)
      case 'answer':
      case 'version':
        return relay(first, initialize)
      case 'modern':
      case 'echo':
      case 'unclear': {
        const answer = await discover(initialize)
        const way = await translated(initialize, answer)
        if (way !== undefined) return way
        // A server that has said what it is, and then fails, has the last word.
        const last = evidence.kind === 'modern' && answer.kind !== 'result' ? answer : first
        return relay(last, initialize)
      }
    }
  }

  /** Asks in our own name. */
  async function discover(frame: Frame, onStart?: () => void): Promise<Answer> {
    const request = discoverRequest(`"bridge-discover-${++probes}"`, claimsOf(frame))
    tap?.sent(request)
    const answer = await asking.ask(request, onStart)
    if (tap !== undefined) heard(tap, request, answer)
    return answer
  }

  /** Opens the translation when the server has shown a version that it can be spoken to in. */
  async function translated(initialize: Frame, answer: Answer): Promise<Delivery | undefined> {
    const evidence = discoverEvidence(answer)
    if (evidence.kind !== 'modern') return undefined
    if (!evidence.versions.includes(MODERN_VERSION)) {
      if (evidence.versions.length === 0) return undefined
      const requested = valueAt(paramsOf(initialize), 'protocolVersion')
      return failed(noMutualVersion(host, evidence.versions, String(requested), log))
    }
    if (answer.kind !== 'result') return undefined
    void knowledge.found('modern-only', evidence.versions)
    const { openLegacyToModern } = await import('./legacy-to-modern/index.ts')
    const discovered = { result: answer.result, at: now() }
    translate(openLegacyToModern(translatorContext, discovered), 'modern')
    return fromHost(initialize)
  }

  /** A host that could fall back to `initialize` would have done it: this one knows nothing else. */
  async function translateModern(frame: Frame): Promise<Delivery> {
    const { openModernToLegacy } = await import('./modern-to-legacy/index.ts')
    translate(openModernToLegacy(translatorContext), 'legacy')
    return fromHost(frame)
  }

  /** A host that asks for the versions; it may be of either era still. */
  async function probe(frame: Frame, onStart: () => void): Promise<Delivery> {
    const wrong = malformed(frame)
    if (wrong !== undefined) return failed(wrong)
    if (await knowledge.isLegacy()) return answerProbe(frame)
    if (knowledge.server() === 'modern') return inner.send(frame)
    const answer = await asking.ask(frame, onStart)
    knowledge.take(discoverEvidence(answer))
    return knowledge.server() === 'legacy' ? answerProbe(frame) : relay(answer, frame)
  }

  /** Hosts of both eras fall back to `initialize`, which loses nothing; so it is what they get. */
  function answerProbe(frame: Frame): Delivery | Promise<Delivery> {
    if (protocol === 'translate') return translateModern(frame)
    log.state({ part: 'era', what: 'mirrored', server: 'legacy' })
    void events.frame(legacyServer(frame, host))
    return over()
  }

  /** A host of the stateless era that asks for something. */
  async function openModern(frame: Frame, onStart: () => void): Promise<Delivery> {
    const isKnown = (await knowledge.isLegacy()) || knowledge.server() !== undefined
    const known = isKnown ? undefined : (await remembered())?.era
    if (!isKnown && (known === undefined || known === 'legacy')) {
      const answer = await discover(frame, onStart)
      const evidence = discoverEvidence(answer)
      knowledge.take(evidence)
      const isOver = evidence.kind === 'unauthorized' || answer.kind === 'failure'
      if (isOver && knowledge.server() === undefined) return relay(answer, frame)
    }
    if (knowledge.server() === 'legacy') return translateModern(frame)
    passThrough((next) =>
      next.method === 'initialize' ? failed(initializeTooLate(next)) : inner.send(next),
    )
    const delivery = fromHost(frame)
    // The server is not what it was: the next start asks.
    if (known !== undefined) delivery.done.catch(doubt)
    return delivery
  }

  const doubt = (error: Error): void => {
    if (discoverEvidence(refusal(error)).kind === 'legacy') remember(undefined)
  }
  return {
    send: (frame) => fromHost(frame),
    acceptsBatches: () => ends.acceptsBatches(),
    ended: () => ends.ended?.(),
    close: () => ends.close(),
  }
}
