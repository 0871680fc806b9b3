import type { Log } from '../log.ts'
import { LEGACY_VERDICT_MS } from '../limits.ts'
import type { DiscoverEvidence } from './evidence.ts'
import type { Protocol } from './flags.ts'

/** What is known of a server's era from earlier starts. */
export interface EraVerdict {
  /** `modern`: it speaks 2026-07-28, and perhaps `initialize` too; `modern-only`: it refused that. */
  readonly era: 'modern' | 'modern-only' | 'legacy'
  readonly versions: readonly string[]
  /** When it was found out, in milliseconds since the epoch. */
  readonly at: number
}

/** What it takes to know a server's era. */
export interface KnowledgeContext {
  readonly log: Log
  readonly protocol: Protocol
  /** Whether requests carry a credential: only then does a refused probe say nothing about the rest. */
  credentialed(): boolean
  remembered(): Promise<EraVerdict | undefined>
  /** Keeps what was found out; nothing forgets what was known. */
  remember(verdict: EraVerdict | undefined): void
  readonly now: () => number
}

/** What this process knows of the server's era. */
export interface Knowledge {
  /** What the server has shown to be in this process, or is told to be. */
  server(): 'legacy' | 'modern' | undefined
  /** Whether it is known, without asking the server, that it is of the initialize era. */
  isLegacy(): Promise<boolean>
  /** Learns from the answer to a `server/discover`. */
  take(evidence: DiscoverEvidence): void
  /** Keeps what was found out for the next start. */
  found(era: EraVerdict['era'], versions?: readonly string[]): Promise<void>
}

/** Nothing is known but what the user and earlier starts say. */
export function createKnowledge(context: KnowledgeContext): Knowledge {
  const { log, protocol, credentialed, remembered, remember, now } = context
  let server: 'legacy' | 'modern' | undefined =
    protocol === 'legacy' || protocol === 'modern' ? protocol : undefined

  async function found(era: EraVerdict['era'], versions: readonly string[] = []): Promise<void> {
    log.state({ part: 'era', what: 'found', server: era })
    const known = await remembered()
    // That it refused `initialize` once is not unsaid by its knowing what came later.
    const same = known?.era === era || (known?.era === 'modern-only' && era === 'modern')
    if (!same || era === 'legacy') remember({ era, versions, at: now() })
  }

  return {
    server: () => server,
    async isLegacy() {
      if (server === undefined) {
        const known = await remembered()
        // A stale verdict of this kind would hide an upgrade for ever; the others fail when they are wrong.
        if (known?.era === 'legacy' && now() - known.at < LEGACY_VERDICT_MS) server = 'legacy'
      }
      return server === 'legacy'
    },
    take(evidence) {
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
    },
    found,
  }
}
