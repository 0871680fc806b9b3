import { MAX_AUTH_ROUNDS, REFUSED_FRESH_MS } from '../limits.ts'
import { openCredentials } from '../store/credentials.ts'
import { isRefreshable } from '../store/start.ts'
import type { PendingFlow, StoredTokens } from '../store/record.ts'
import { createBrakes } from './brakes.ts'
import { tokenChallenge } from './challenge.ts'
import type { AuthContext } from './context.ts'
import { discover } from './discover.ts'
import { AuthFailure, expected } from './failure.ts'
import { createAuthHttp, lookupAll } from './fetch.ts'
import { type Held, hold } from './held.ts'
import { createIdp } from './idp.ts'
import type { AuthorizerWorld, PendingSignIn, Refusal, Renewal } from './index.ts'
import { learning } from './learning.ts'
import { currentTokens } from './ledger.ts'
import type { Nonces } from './nonces.ts'
import { createRefusals } from './refusals.ts'
import { covers, joinScopes } from './scopes.ts'
import type { SignInRequest } from './lead.ts'
import { signIn } from './sign-in.ts'
import { renewSilently, type SilentOutcome } from './silent.ts'

/** What the engine shares with the requests that are being sent. */
export interface Desk {
  readonly nonces: Nonces
  current(): Held | undefined
  use(held: Held | undefined): void
  show(pending: PendingSignIn | undefined): void
}

/** The part of the authorizer that is loaded when there is something to do. */
export interface Engine {
  renewDue(): Promise<Renewal>
  renew(refusal: Refusal): Promise<Renewal>
  close(): Promise<void>
}

const OK: Renewal = { ok: true }

/** The engine for one server. */
export function createEngine(world: AuthorizerWorld, desk: Desk): Engine {
  const { server, options, folder, connector, log, env, now } = world
  const ending = new AbortController()
  const { signal } = ending
  const { allowHttp, allowPrivate, resource, profile } = options
  const policy = { server, allowHttp, allowPrivate, lookup: lookupAll, connector, signal }
  const http = learning(createAuthHttp(policy), world.tap)
  const key = { server, resource, profile }
  const store = openCredentials(folder, key, log, signal, world.vault)
  function permit(issuer: string): void {
    const why = world.issuerRefusal(issuer)
    if (why === undefined) return
    throw new AuthFailure('refused', why, { hint: 'Ask the administrator of this machine.' })
  }

  const us: Omit<AuthContext, 'idp'> = {
    server,
    options,
    http,
    store,
    log,
    env,
    signal,
    now,
    nonces: desk.nonces,
    refusals: createRefusals(),
    permit,
    find: (hinted, known) =>
      discover(http, server, hinted, { issuer: options.issuer, known, permit }),
  }
  const idp = options.idp && createIdp(options.idp, us, world)
  const context: AuthContext = { ...us, idp }
  /** Whether there is a person who could be asked. */
  const nobody = options.grant === 'client_credentials' || options.grant === 'workload'
  const brakes = createBrakes(now)
  const silent = new Map<string | undefined, Promise<SilentOutcome>>()
  const waiting = new Set<() => void>()
  let asking:
    | { readonly scope: string | undefined; readonly done: Promise<StoredTokens> }
    | undefined
  /** The access token of the last renewal of this process. */
  let renewedLast: string | undefined
  /** The access token of the last sign-in of this process. */
  let signedIn: { readonly token: string; readonly at: number } | undefined

  function use(tokens: StoredTokens): void {
    const { expiresAt, proofKey, grant, refreshToken } = tokens
    const refreshable = isRefreshable(grant, refreshToken)
    desk.use(hold({ ...tokens, expiresAt, proofKey, refreshable }))
    log.state({ part: 'auth', what: 'authorized', scope: tokens.scope })
    for (const wake of waiting) wake()
    waiting.clear()
  }

  /** Whether requests are sent with another token than the refused one by now. */
  function renewed(refused: string | undefined): boolean {
    const token = desk.current()?.accessToken
    return token !== undefined && token !== refused
  }

  /** One for all requests that were refused with the same token. */
  function quietly(refused: string | undefined, challenge: Challenge): Promise<SilentOutcome> {
    let flight = silent.get(refused)
    if (flight === undefined) {
      brakes.checkRenewals()
      flight = renewSilently(context, { refused, ...hintsOf(challenge) })
        .then((outcome) => {
          if (outcome !== 'needs-person') {
            if (outcome.fresh) {
              brakes.countRenewal()
              renewedLast = outcome.tokens.accessToken
            }
            use(outcome.tokens)
          } else if (!renewed(refused)) {
            desk.use(undefined)
          }
          return outcome
        })
        .finally(() => silent.delete(refused))
      silent.set(refused, flight)
    }
    return flight
  }

  /** One for all requests, whatever refused them, unless it would bring too few scopes. */
  async function withPerson(request: Omit<SignInRequest, 'insist'>): Promise<StoredTokens> {
    while (asking !== undefined) {
      const { scope: coming, done } = asking
      if (covers(coming, request.scope)) return done
      await done.catch(() => {})
    }
    // One that has worked for a while is over: a person who sits here may be asked again.
    const insist = signedIn !== undefined && now() - signedIn.at > REFUSED_FRESH_MS
    const show = (flow: PendingFlow | undefined): void => {
      if (flow !== undefined) log.state({ part: 'auth', what: 'waiting', for: flow.kind })
      desk.show(flow && shown(flow))
    }
    const done = ask({ ...request, insist }, show).finally(() => {
      asking = undefined
    })
    asking = { scope: request.scope, done }
    const tokens = await done
    signedIn = { token: tokens.accessToken, at: now() }
    use(tokens)
    return tokens
  }

  /** Asks a person: at the server's own sign-in page, or at the company's identity provider. */
  async function ask(
    request: SignInRequest,
    show: (flow: PendingFlow | undefined) => void,
  ): Promise<StoredTokens> {
    if (idp === undefined) return signIn(context, request, show)
    for (let asked = false; ; asked = true) {
      const outcome = await renewSilently(context, request)
      if (outcome !== 'needs-person') return outcome.tokens
      if (asked) throw new AuthFailure('refused', 'The identity provider gives no usable ID token.')
      await idp.signIn(request.insist, show)
    }
  }

  async function unauthorized(refusal: Refusal, challenge: Challenge): Promise<Renewal> {
    const refused = tokenOf(refusal.credential)
    if (renewed(refused)) return OK
    if (brakes.refusedFresh(refused)) return refusedFresh(server)
    const last = refusal.round >= MAX_AUTH_ROUNDS
    if (last || (refusal.round > 0 && refused === signedIn?.token)) {
      brakes.refuseFresh(refused)
      return refusedFresh(server)
    }
    // Of a token that was renewed for this very request another renewal is worth no more.
    const afresh = refusal.afresh === true && !nobody
    if (!afresh && (refusal.round === 0 || refused !== renewedLast)) {
      if ((await quietly(refused, challenge)) !== 'needs-person') return OK
    }
    if (refusal.background) return elsewhere(refused)
    if (nobody) return refusedFresh(server)
    if (options.unattended) return signInNeeded(server)
    await withPerson({ refused, scope: undefined, ...hintsOf(challenge) })
    return OK
  }

  /** Waits until requests that somebody waits for have got another token. */
  function elsewhere(refused: string | undefined): Promise<Renewal> {
    return new Promise((resolve) => {
      const done = (): void => resolve(renewed(refused) ? OK : { ok: false, hint: undefined })
      if (renewed(refused) || signal.aborted) {
        done()
        return
      }
      waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  async function insufficient(refusal: Refusal, challenge: Challenge): Promise<Renewal> {
    const challenged = challenge?.scope
    const refused = tokenOf(refusal.credential)
    const failure: Renewal = {
      ok: false,
      hint: 'The account or the client lacks a permission that this operation needs.',
    }
    if (refusal.background || options.unattended || challenged === undefined) return failure
    if (nobody) return failure
    const before = currentTokens(await store.read())
    if (
      before !== undefined &&
      before.accessToken !== refused &&
      covers(before.scope, challenged)
    ) {
      use(before) // another request, or another process, was faster
      return OK
    }
    const wanted = joinScopes(before?.requested, before?.scope, challenged)
    const joins = asking !== undefined && covers(asking.scope, wanted)
    if (refusal.stepUps > 0 || !(joins || brakes.mayStepUp(refusal.operation))) return failure
    await withPerson({ refused, scope: wanted, ...hintsOf(challenge) })
    return OK
  }

  /** Expected failures become values here, and nowhere below. */
  async function judged(work: () => Promise<Renewal>): Promise<Renewal> {
    try {
      return await work()
    } catch (error) {
      const { kind, message, hint, retryAfterMs } = expected(error)
      log.state({ part: 'auth', what: 'failed', kind })
      return { ok: false, kind, message, hint, retryAfterMs }
    }
  }

  return {
    renewDue: () =>
      judged(async () => {
        const held = desk.current()
        if (held === undefined || now() < held.renewAt) return OK
        try {
          await quietly(held.accessToken, undefined)
        } catch (error) {
          const lives = held.expiresAt !== undefined && held.expiresAt > now()
          if (!(error instanceof AuthFailure) || !lives) throw error
          // The token still works: the next try waits until it has lost half of what is left.
          desk.use({ ...held, renewAt: now() + (held.expiresAt - now()) / 2 })
        }
        return OK
      }),
    renew: (refusal) =>
      judged(() => {
        const challenge = tokenChallenge(refusal.authenticate)
        return refusal.status === 401
          ? unauthorized(refusal, challenge)
          : insufficient(refusal, challenge)
      }),
    async close() {
      ending.abort()
      await asking?.done.catch(() => {})
      await Promise.allSettled(silent.values())
      await Promise.all([http.close(), idp?.close()])
    },
  }
}

type Challenge = ReturnType<typeof tokenChallenge>

function hintsOf(challenge: Challenge): Pick<SignInRequest, 'hinted' | 'challenged' | 'dpop'> {
  const { resourceMetadata: hinted, scope: challenged, dpop = false } = challenge ?? {}
  return { hinted, challenged, dpop }
}

function shown(flow: PendingFlow): PendingSignIn {
  const { link } = flow
  if (flow.kind === 'device') return { link, code: flow.userCode, bareCode: false }
  return { link, code: undefined, bareCode: flow.bareCode === true }
}

function tokenOf(credential: string | undefined): string | undefined {
  return credential?.replace(/^(?:Bearer|DPoP) /, '')
}

function signInNeeded(server: URL): Renewal {
  return {
    ok: false,
    kind: 'unanswered',
    message: `${server.host} needs a sign-in first.`,
    hint: `Sign in with: bridge login ${server.origin}${server.pathname}`,
  }
}

function refusedFresh({ host }: URL): Renewal {
  return {
    ok: false,
    message: `${host} refuses a token that was made for it a moment ago.`,
    hint: 'The server and its authorization server disagree; only their operator can put that right.',
  }
}
