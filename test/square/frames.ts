import type { Tapped } from '../support/tap-server.ts'
import { watchWire } from '../support/wire.ts'
import type { Era } from './features.ts'

/** Both sides of a bridge. */
export interface BothSides {
  readonly host: readonly Tapped[]
  readonly server: readonly Tapped[]
  readonly hostEra: Era
  readonly serverEra: Era
}

/** The messages that are not on both sides byte by byte; none when everything was relayed. */
export function altered({ host, server }: BothSides): readonly string[] {
  const texts = { client: new Set<string>(), server: new Set<string>() }
  for (const { from, text } of server) texts[from].add(text)
  return host
    .filter(({ from, message, text }) => {
      // Closing the stream is what says it to a server of 2026-07-28.
      if (from === 'client' && message['method'] === 'notifications/cancelled') return false
      return !texts[from].has(text)
    })
    .map(({ from, text }) => `${from}: ${text.slice(0, 300)}`)
}

/**
 * What is wrong, by the published schemas of each side's era, with the messages that the bridge made
 * or changed. What a peer has said wrongly by itself, and was relayed as it was, is the peer's.
 */
export function faults({ host, server, hostEra, serverEra }: BothSides): readonly string[] {
  const toHost = judge(host, hostEra, 'server', said(server, 'server'))
  const toServer = judge(
    withoutProbes(server, serverEra),
    serverEra,
    'client',
    said(host, 'client'),
  )
  return [
    ...toHost.map((fault) => `to the host, ${fault}`),
    ...toServer.map((fault) => `to the server, ${fault}`),
  ]
}

function said(messages: readonly Tapped[], by: Tapped['from']): ReadonlySet<string> {
  return new Set(messages.filter(({ from }) => from === by).map(({ text }) => text))
}

/** Judges what came `from` the bridge on one side; `elsewhere` is what the peer on the other side has said. */
function judge(
  messages: readonly Tapped[],
  era: Era,
  from: Tapped['from'],
  elsewhere: ReadonlySet<string>,
): string[] {
  const wire = watchWire(era, { everyMethod: true })
  const found: string[] = []
  for (const one of messages) {
    const before = wire.faults.length
    if (one.from === 'client') wire.fromClient(one.message)
    else wire.fromServer(one.message)
    if (one.from === from && !elsewhere.has(one.text)) found.push(...wire.faults.slice(before))
  }
  return found
}

/** The first message in the wrong era, and the refusal of it, are how the era is found out. */
function withoutProbes(messages: readonly Tapped[], era: Era): readonly Tapped[] {
  const probe = era === 'legacy' ? 'server/discover' : 'initialize'
  let refused: unknown
  return messages.filter(({ from, message }) => {
    if (from === 'client' && message['method'] === probe) {
      refused = message['id']
      return false
    }
    const { id } = message
    if (from === 'client' || refused === undefined || (id !== refused && id !== null)) return true
    refused = undefined
    return false
  })
}
