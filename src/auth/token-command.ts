import { MAX_AUTH_ROUNDS } from '../limits.ts'
import { runForToken } from './command.ts'
import { expected } from './failure.ts'
import { type Held, hold } from './held.ts'
import type { Authorizer, AuthorizerWorld, Renewal } from './index.ts'

/** What the authorizer of a program needs. */
export type CommandAuthorizerWorld = Pick<AuthorizerWorld, 'log' | 'env' | 'now'>

/**
 * Credentials that a program of the user's prints (`--token-command`). They are kept in memory only:
 * the program has its own store. It is run before the first request, when the token has expired, and
 * once for a request that is refused.
 */
export function createCommandAuthorizer(
  words: readonly string[],
  { log, env, now }: CommandAuthorizerWorld,
): Authorizer {
  const ending = new AbortController()
  const { signal } = ending
  let held: Held | undefined
  let running: Promise<Renewal> | undefined

  async function run(): Promise<Renewal> {
    try {
      const obtainedAt = now()
      const printed = await runForToken(words, '--token-command', { env, log, signal, now })
      const { token: accessToken, expiresAt } = printed
      held = hold({ accessToken, expiresAt, obtainedAt, refreshable: true, proofKey: undefined })
      return { ok: true }
    } catch (error) {
      const { kind, message, hint } = expected(error)
      return { ok: false, kind, message, hint }
    }
  }

  /** One run for all requests that need it. */
  function once(): Promise<Renewal> {
    running ??= run().finally(() => {
      running = undefined
    })
    return running
  }

  const refused: Renewal = {
    ok: false,
    hint: 'The server refuses the token that the program of --token-command prints.',
  }

  return {
    credential: () => held?.authorization,
    headers: () => held?.headers,
    noted: () => false,
    due: () => (held === undefined || now() >= held.renewAt ? once() : undefined),
    async renew({ status, credential, round }) {
      if (held !== undefined && held.authorization !== credential) return { ok: true }
      if (status === 403 || round >= MAX_AUTH_ROUNDS - 1) return refused
      const renewal = await once()
      // The same again would be refused again.
      return renewal.ok && held?.authorization === credential ? refused : renewal
    },
    pending: () => undefined,
    close() {
      ending.abort()
      return Promise.resolve()
    },
  }
}
