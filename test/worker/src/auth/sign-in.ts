import {
  AuthorizationError,
  authorizationErrorRedirect,
  CimdFetchError,
  type AuthRequest,
  type OAuthHelpers,
} from '@cloudflare/workers-oauth-provider'
import { logEvent } from '../log.ts'
import { consentPage } from './consent-page.ts'
import { nowInSeconds } from './lifetimes.ts'
import { failurePage, leaveFor } from './page.ts'
import { grantableScopes, offeredScopes, toPerson } from './person.ts'
import type { Settings } from './settings.ts'
import type { IdentityProvider, SignInSecrets } from './upstream/identity.ts'

/** What the pages of a sign-in work with. */
interface SignInParts {
  readonly oauth: OAuthHelpers
  readonly provider: IdentityProvider
  readonly settings: Settings
  readonly origin: string
}

type Step = (request: Request, parts: SignInParts) => Promise<Response>

const STEPS: Readonly<Record<string, Step>> = {
  'GET /authorize': askForConsent,
  'POST /authorize': takeDecision,
  'GET /callback': finishSignIn,
}

/** The step of the sign-in that a request is for, if any. */
export function signInStep(request: Request): Step | undefined {
  const step = STEPS[`${request.method} ${new URL(request.url).pathname}`]
  return step && ((...given) => step(...given).catch(explain))
}

/** GET /authorize: shows who asks for what, unless this browser remembers an approval that covers it. */
async function askForConsent(request: Request, parts: SignInParts): Promise<Response> {
  const { oauth, settings, origin, provider } = parts
  const asked = await oauth.parseAuthRequest(request)
  // The library lets a confidential client leave PKCE out; OAuth 2.1 and MCP do not.
  if (asked.codeChallenge === undefined) {
    return redirect(
      authorizationErrorRedirect(asked, 'invalid_request', 'PKCE with S256 is required'),
    )
  }
  const wanted = { ...asked, scope: [...offeredScopes(asked.scope)] }
  const remember = rememberOptions(settings)
  if (remember && (await oauth.isConsentRemembered(request, wanted, remember))) {
    const started = await startUpstream(wanted, parts, new Headers())
    return started === undefined
      ? unreachable(provider)
      : redirect(started.location, started.headers)
  }
  // Described first: a client that cannot be looked up leaves nothing behind in KV.
  const details = await oauth.describeConsent(wanted)
  const consent = await oauth.beginConsent(wanted)
  return consentPage({
    details,
    consent,
    scopes: wanted.scope,
    serverHost: new URL(origin).host,
    providerName: provider.name,
    rememberable: remember !== undefined,
  })
}

/** POST /authorize: the person decided. Only now may the browser go to the identity provider. */
async function takeDecision(request: Request, parts: SignInParts): Promise<Response> {
  const { oauth, settings, provider } = parts
  const form = await request.formData().catch(() => undefined)
  if (form === undefined) return failurePage('This is not the form of the consent page.')
  const handle = String(form.get('handle'))
  if (form.get('decision') !== 'allow') {
    const denied = await oauth.denyConsent(request, handle)
    return leaveFor(denied.redirectTo, denied.headers)
  }
  const remember = form.get('remember') === 'yes' ? rememberOptions(settings) : undefined
  const approved = await oauth.approveConsent(request, handle, {
    scope: [...offeredScopes(form.getAll('scope').map(String))],
    ...(remember && { remember }),
  })
  const started = await startUpstream(approved.request, parts, approved.headers)
  return started === undefined ? unreachable(provider) : leaveFor(started.location, started.headers)
}

/** GET /callback: the identity provider has answered; the app gets its code, or the reason why not. */
async function finishSignIn(request: Request, parts: SignInParts): Promise<Response> {
  const { oauth, provider, settings } = parts
  const resumed = await oauth.finishUpstream<SignInSecrets>(request)
  const { request: asked, headers } = resumed
  const result = await provider.finish(new URL(request.url), callbackUrl(parts), resumed.data)
  if (!result.ok) {
    logEvent('warn', 'sign_in_failed', { why: result.why, detail: result.detail })
    return redirect(authorizationErrorRedirect(asked, ERROR_CODES[result.why]), headers)
  }
  const person = toPerson(result.identity, settings.adminUserIds, nowInSeconds())
  const { redirectTo } = await oauth.completeAuthorization({
    request: asked,
    userId: person.userId,
    // Stored in the clear for listings. Everything about the person is in the encrypted props.
    metadata: {},
    scope: grantableScopes(asked.scope, person.roles),
    props: person,
  })
  logEvent('info', 'signed_in', { provider: provider.name })
  return redirect(redirectTo, headers)
}

const ERROR_CODES = {
  denied: 'access_denied',
  unavailable: 'temporarily_unavailable',
  refused: 'server_error',
} as const

async function startUpstream(asked: AuthRequest, parts: SignInParts, headers: Headers) {
  const start = await parts.provider.start(callbackUrl(parts))
  if (start === undefined) return undefined
  const upstream = await parts.oauth.beginUpstream(asked, { data: start.secrets, headers })
  return { location: start.location(upstream.state), headers: upstream.headers }
}

const callbackUrl = ({ origin }: SignInParts): string => `${origin}/callback`

const rememberOptions = ({ consentSecret }: Settings): { secret: string } | undefined =>
  consentSecret === undefined ? undefined : { secret: consentSecret }

function redirect(location: string, headers = new Headers()): Response {
  headers.set('Location', location)
  headers.set('Cache-Control', 'no-store')
  return new Response(null, { status: 302, headers })
}

const unreachable = ({ name }: IdentityProvider): Response =>
  failurePage(`${name} cannot be reached right now. Please start again in a moment.`, 503)

/** Expected failures become a redirect to a client that is trusted already, else a page. */
function explain(thrown: unknown): Response {
  if (thrown instanceof AuthorizationError) {
    return thrown.redirectTo === undefined
      ? failurePage(`${thrown.description}.`)
      : redirect(thrown.redirectTo)
  }
  if (thrown instanceof CimdFetchError) {
    logEvent('warn', 'client_metadata', { detail: thrown.detail })
    return failurePage('The metadata of this app could not be read, so it cannot be trusted.')
  }
  throw thrown
}
