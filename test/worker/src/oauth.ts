import { makeAuthority, type Authority } from './auth/authority.ts'
import { authHooks } from './auth/hooks.ts'
import { toAuthInfo } from './auth/person.ts'
import { readSettings, type AuthEnv, type Settings } from './auth/settings.ts'
import { signInStep } from './auth/sign-in.ts'
import { chooseProvider } from './auth/upstream/choose.ts'
import type { IdentityProvider } from './auth/upstream/identity.ts'
import type { Env } from './env.ts'
import { withGateway } from './gateway.ts'
import { runJobs, type JobMessage } from './jobs.ts'
import { handleMcp } from './mcp/http.ts'

export { McpSession } from './mcp/session.ts'
export { OwnerState } from './owner.ts'

/** Everything that depends on the variables and on the public address, built once for both. */
interface Deployment {
  readonly origin: string
  readonly settings: Settings
  readonly provider: IdentityProvider
  readonly authority: Authority
}

// A Worker has one public address, so one entry is enough; only tests and previews see another.
let built: Deployment | undefined

function deploymentAt(origin: string, env: AuthEnv): Deployment {
  if (built?.origin === origin) return built
  const settings = readSettings(env)
  const authority = makeAuthority(origin, settings, (request, inner, ctx, auth, person) =>
    handleMcp(request, inner, ctx, { flavour: 'oauth', authInfo: toAuthInfo(auth, person) }),
  )
  built = { origin, settings, provider: chooseProvider(env), authority }
  return built
}

async function handle(received: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  if (!hasStore(env)) throw new TypeError('OAUTH_KV is not bound')
  const request = atPublicUrl(received, env)
  const { origin, settings, provider, authority } = deploymentAt(new URL(request.url).origin, env)
  const step = signInStep(request)
  return step === undefined
    ? authority.fetch(request, env, ctx)
    : step(request, { oauth: authority.server.getOAuthApi(env), provider, settings, origin })
}

/** The request as the public sees it: a tunnel or a proxy may have ended TLS before us. */
function atPublicUrl(request: Request, { PUBLIC_URL }: Env): Request {
  if (PUBLIC_URL === undefined) return request
  const { origin, pathname, search } = new URL(request.url)
  const address = new URL(PUBLIC_URL).origin
  return origin === address ? request : new Request(address + pathname + search, request)
}

const hasStore = (env: Env): env is AuthEnv => env.OAUTH_KV !== undefined

/** The OAuth flavour: the same tools for people who signed in. */
export default {
  fetch: withGateway(handle, { flavour: 'oauth', hooks: authHooks }),
  queue: runJobs,
} satisfies ExportedHandler<Env, JobMessage>
