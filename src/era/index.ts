import type { Delivery, Remote, RemoteEvents } from '../channel.ts'
import { ServerError } from '../errors.ts'
import { type Frame, withId } from '../frame.ts'
import { valueAt } from '../json/locate.ts'
import { LEGACY_VERDICT_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import { type Answer, createAsking, refusal } from './ask.ts'
import { claimsOf, discoverRequest, paramsOf } from './claims.ts'
import { failed, follow, over, perform } from '../delivery.ts'
import { type DiscoverEvidence, discoverEvidence, initializeEvidence } from './evidence.ts'
import type { Protocol } from './flags.ts'
import { modernVersion } from './headers.ts'
import { initializeTooLate, legacyServer, malformed, noMutualVersion } from './refusals.ts'
import type { Translator, TranslatorContext } from './translator.ts'
import { MODERN_VERSION } from './vocabulary.ts'
import { otherVersion, withVersion } from './other-version.ts'

/** What is known of a server's era from earlier starts. */
export interface EraVerdict {
  /** `modern`: it speaks 2026-07-28, and perhaps `initialize` too; `modern-only`: it refused that. */
  readonly era: 'modern' | 'modern-only' | 'legacy'
  readonly versions: readonly string[]
  /** When it was found out, in milliseconds since the epoch. */
  readonly at: number
}

/** What the era layer needs of the program. */
export interface EraContext {
  readonly events: RemoteEvents
  readonly log: Log
  /** Host name of the server, as people know it. */
  readonly host: string
  readonly protocol: Protocol
  /** Whether requests carry a credential: only then does a refused probe say nothing about the rest. */
  credentialed(): boolean
  remembered(): Promise<EraVerdict | undefined>
  /** Keeps what was found out; nothing forgets what was known. */
  remember(verdict: EraVerdict | undefined): void
  readonly now: () => number
  readonly random: () => string
}

/**
 * A server whose era is found out from the host's own first message, and translated when it is not
 * the host's. Between two sides of one era every frame goes straight through.
 */
export function withEra(open: (events: RemoteEvents) => Remote, context: EraContext): Remote {
  const { events, log, host, protocol, credentialed, remembered, remember, now, random } = context
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
  /** What the server has shown to be in this process, or is told to be. */
  let server: 'legacy' | 'modern' | undefined =
    protocol === 'legacy' || protocol === 'modern' ? protocol : undefined
  let probes = 0

  /** From here on both sides speak the same era. */
  function passThrough(send: (frame: Frame) => Delivery): void {
    fromHost = send
    fromServer = events.frame
    lost = events.lost
  }

  function translate(translator: Translator, direction: string): void {
    log.state({ part: 'era', what: 'translating', direction })
    fromHost = translator.send
    fromServer = translator.fromServer
    lost = translator.lost
    ends = translator
  }
  let ends: Remote = inner // what is to be closed

  async function found(era: EraVerdict['era'], versions: readonly string[] = []): Promise<void> {
    log.state({ part: 'era', what: 'found', server: era })
    const known = await remembered()
    // That it refused `initialize` once is not unsaid by its knowing what came later.
    const same = known?.era === era || (known?.era === 'modern-only' && era === 'modern')
    if (!same || era === 'legacy') remember({ era, versions, at: now() })
  }

  const translatorContext: TranslatorContext = { server: inner, events, log, host, now, random }

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

  function discover(frame: Frame, onStart?: () => void): Promise<Answer> {
    const id = `"bridge-discover-${++probes}"`
    return asking.ask(discoverRequest(id, claimsOf(frame)), onStart)
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
    void found('modern-only', evidence.versions)
    const { openLegacyToModern } = await import('./legacy-to-modern/index.ts')
    const discovered = { result: answer.result, at: now() }
    translate(openLegacyToModern(translatorContext, discovered), 'legacy host, modern server')
    return fromHost(initialize)
  }

  /** A host that could fall back to `initialize` would have done it: this one knows nothing else. */
  async function translateModern(frame: Frame): Promise<Delivery> {
    const { openModernToLegacy } = await import('./modern-to-legacy/index.ts')
    translate(openModernToLegacy(translatorContext), 'modern host, legacy server')
    return fromHost(frame)
  }

  /** A host that asks for the versions; it may be of either era still. */
  async function probe(frame: Frame, onStart: () => void): Promise<Delivery> {
    const wrong = malformed(frame)
    if (wrong !== undefined) return failed(wrong)
    if (await isLegacy()) return answerProbe(frame)
    if (server === 'modern') return inner.send(frame)
    const answer = await asking.ask(frame, onStart)
    take(discoverEvidence(answer))
    return server === 'legacy' ? answerProbe(frame) : relay(answer, frame)
  }

  /** Whether it is known, without asking the server, that it is of the initialize era. */
  async function isLegacy(): Promise<boolean> {
    if (server === undefined) {
      const known = await remembered()
      // A stale verdict of this kind would hide an upgrade for ever; the others fail when they are wrong.
      if (known?.era === 'legacy' && now() - known.at < LEGACY_VERDICT_MS) server = 'legacy'
    }
    return server === 'legacy'
  }

  function take(evidence: DiscoverEvidence): void {
    switch (evidence.kind) {
      case 'modern':
        server = 'modern'
        void found('modern', evidence.versions)
        return
      case 'legacy':
        server = 'legacy'
        void found('legacy')
        return
      case 'unauthorized':
        // Some servers refuse only what they do not know (adcp-client 2434): good for this run.
        if (credentialed()) server = 'legacy'
        return
      case 'nothing':
        return
    }
  }

  /** Hosts of both eras fall back to `initialize`, which loses nothing; so it is what they get. */
  function answerProbe(frame: Frame): Delivery | Promise<Delivery> {
    if (protocol === 'translate') return translateModern(frame)
    void events.frame(legacyServer(frame, host))
    return over()
  }

  /** A host of the stateless era that asks for something. */
  async function openModern(frame: Frame, onStart: () => void): Promise<Delivery> {
    const isKnown = (await isLegacy()) || server !== undefined
    const known = isKnown ? undefined : (await remembered())?.era
    if (!isKnown && (known === undefined || known === 'legacy')) {
      const answer = await discover(frame, onStart)
      const evidence = discoverEvidence(answer)
      take(evidence)
      const isOver = evidence.kind === 'unauthorized' || answer.kind === 'failure'
      if (isOver && server === undefined) return relay(answer, frame)
    }
    if (server === 'legacy') return translateModern(frame)
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
