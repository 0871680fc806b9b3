import { FOLLOW_POLL_MS } from '../limits.ts'
import { pause } from '../pause.ts'
import type { PendingFlow, StoredTokens } from '../store/record.ts'
import type { ServerMetadata } from '../store/server-metadata.ts'
import type { AuthContext } from './context.ts'
import { AuthFailure } from './failure.ts'
import { helpfulTokens, type Need, withTokens } from './ledger.ts'

/** What a sign-in is to achieve. */
export interface SignInRequest extends Need {
  /** Where the challenge says that the server's metadata is. */
  readonly hinted: string | undefined
  /** The scopes that the challenge names. */
  readonly challenged: string | undefined
  /** Whether the server wants proofs with its tokens (DPoP). */
  readonly dpop: boolean
  /** Whether a tab may be opened although one was opened a moment ago. */
  readonly insist: boolean
}

/** The process that talks to the person, for all that wait for the same sign-in. */
export interface Lead {
  readonly context: AuthContext
  /** Whether it is about more scopes for tokens that work. */
  readonly stepUp: boolean
  /** Waits for an answer, but not for ever, and not when another process got tokens some other way. */
  answered<T>(answer: Promise<T>): Promise<T | StoredTokens>
  /** Stores what the sign-in has brought. */
  keep(flow: PendingFlow, metadata: ServerMetadata, tokens: StoredTokens): Promise<void>
}

/** Takes the lead for a request. */
export function createLead(context: AuthContext, request: SignInRequest): Lead {
  const { store, options, log, signal, now } = context
  return {
    context,
    stepUp: request.scope !== undefined,
    async answered(answer) {
      const done = new AbortController()
      const other = async (): Promise<StoredTokens> => {
        const deadline = now() + options.timeoutMs
        for (;;) {
          await pause(FOLLOW_POLL_MS, AbortSignal.any([done.signal, signal]))
          if (signal.aborted || done.signal.aborted) throw closing()
          const tokens = helpfulTokens(await store.read(), request, now())
          if (tokens !== undefined) return tokens
          if (now() > deadline) throw timedOut(options.timeoutMs)
        }
      }
      try {
        return await Promise.race([answer, other()])
      } finally {
        done.abort()
      }
    },
    async keep(flow, metadata, tokens) {
      const refusesResource = flow.resource !== undefined && tokens.resource === undefined
      if (refusesResource) {
        log.warn(`${flow.issuer} refuses the resource parameter; it is left out from now on`)
      }
      const more = {
        ...(flow.registered ? { client: flow.client } : {}),
        ...(refusesResource ? { refusesResource } : {}),
      }
      await store.exclusive(({ record, save }) =>
        save(withTokens(record, flow.issuer, metadata, tokens, more)),
      )
    },
  }
}

/** Nobody came in time. */
export function timedOut(ms: number): AuthFailure {
  const minutes = Math.round(ms / 6_000) / 10
  return new AuthFailure('unanswered', `Nobody signed in within ${minutes} min.`, {
    hint: 'Ask again to get a new link; --auth-timeout makes the bridge wait longer.',
  })
}

/** The bridge ends before the person is done. */
export function closing(): AuthFailure {
  return new AuthFailure('unreachable', 'The bridge is shutting down.')
}
