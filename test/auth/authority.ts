import { createHash, randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { json, type Seen, startServer, type TestServer } from '../support/http-server.ts'

/** What a scripted endpoint answers; `undefined` leaves the answer to the rules. */
type Scripted<T> = (request: T, response: ServerResponse) => boolean | Promise<boolean>

/** One request to the token endpoint. */
interface TokenCall {
  readonly form: URLSearchParams
  readonly authorization: string | undefined
}

/** What a test wants otherwise; may be changed while the test runs. Handlers return true when they answered. */
export interface Script {
  /** Members that replace those of the metadata; `undefined` removes one. */
  metadata?: Record<string, unknown>
  register?: Scripted<Seen>
  /** Changes what the browser brings back. */
  authorize?: (
    answer: URLSearchParams,
    asked: URLSearchParams,
    issuer: string,
  ) => URLSearchParams | void
  token?: Scripted<TokenCall>
  /** Anything else. */
  other?: Scripted<Seen>
  /** Seconds that an access token lives; `undefined` leaves `expires_in` out. */
  lifetime?: number | undefined
  /** What `expires_in` says instead of the truth. */
  expiresIn?: number
  refreshTokens?: boolean
}

/** An authorization server that keeps the rules: PKCE, exact redirect URIs, rotation with reuse detection. */
export interface Authority {
  readonly issuer: string
  readonly server: TestServer
  readonly script: Script
  /** The bodies of all registrations. */
  readonly registrations: Record<string, unknown>[]
  /** The parameters of all authorization requests. */
  readonly authorizations: URLSearchParams[]
  readonly tokenCalls: TokenCall[]
  /** Refresh tokens that were presented a second time; each one revokes its family. */
  readonly reuses: string[]
  /** The scope of a living access token. */
  scopeOf(token: string | undefined): string | undefined
  /** Ends all access tokens; refresh tokens stay. */
  expireAccess(): void
  /** Ends everything. */
  revokeAll(): void
  /** Forgets every client. */
  forgetClients(): void
}

interface Family {
  readonly clientId: string
  readonly scope: string
  dead: boolean
}

/** Starts the authority on loopback; it ends with the test. */
export async function startAuthority(script: Script = {}): Promise<Authority> {
  const registrations: Record<string, unknown>[] = []
  const authorizations: URLSearchParams[] = []
  const tokenCalls: TokenCall[] = []
  const reuses: string[] = []
  const clients = new Map<string, readonly string[]>()
  const codes = new Map<string, { asked: URLSearchParams; used: boolean }>()
  const access = new Map<string, { family: Family; until: number }>()
  const refresh = new Map<string, { family: Family; used: boolean }>()
  let issued = 0

  const server: TestServer = await startServer(
    async (request, response) => {
      const url = new URL(request.path, server.origin)
      switch (url.pathname) {
        case '/.well-known/oauth-authorization-server':
          json(response, metadata())
          return
        case '/register':
          if ((await script.register?.(request, response)) !== true) register(request, response)
          return
        case '/authorize':
          authorize(url.searchParams, response)
          return
        case '/token': {
          const form = new URLSearchParams(request.body.toString('utf8'))
          const call = { form, authorization: request.headers.authorization }
          tokenCalls.push(call)
          if ((await script.token?.(call, response)) !== true) token(call, response)
          return
        }
        default:
          if ((await script.other?.(request, response)) !== true) response.writeHead(404).end()
      }
    },
    { path: '' },
  )
  const issuer = server.origin

  function metadata(): Record<string, unknown> {
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      registration_endpoint: `${issuer}/register`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
      ...script.metadata,
    }
  }

  function register(request: Seen, response: ServerResponse): void {
    const body = JSON.parse(request.body.toString('utf8')) as Record<string, unknown>
    registrations.push(body)
    const client_id = `client-${registrations.length}`
    clients.set(client_id, body['redirect_uris'] as string[])
    json(response, { ...body, client_id }, { status: 201 })
  }

  function authorize(asked: URLSearchParams, response: ServerResponse): void {
    authorizations.push(asked)
    const redirect = new URL(asked.get('redirect_uri') ?? '')
    const registered = clients.get(asked.get('client_id') ?? '')
    if (registered !== undefined && !registered.includes(redirect.href)) {
      json(response, { error: 'redirect_uri is not registered' }, { status: 400 })
      return
    }
    const code = `code-${randomBytes(8).toString('hex')}`
    codes.set(code, { asked, used: false })
    const answer = new URLSearchParams({ code, state: asked.get('state') ?? '' })
    redirect.search = String(script.authorize?.(answer, asked, issuer) ?? answer)
    response.writeHead(302, { location: redirect.href }).end()
  }

  function token({ form, authorization }: TokenCall, response: ServerResponse): void {
    const refuse = (error: string, status = 400): void => json(response, { error }, { status })
    const clientId = form.get('client_id') ?? idOf(authorization)
    const known = registrations.length === 0 || clients.has(clientId)
    if (!known) {
      refuse('invalid_client', 401)
      return
    }
    switch (form.get('grant_type')) {
      case 'authorization_code': {
        const entry = codes.get(form.get('code') ?? '')
        const challenge = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url')
        const fits =
          entry?.used === false &&
          entry.asked.get('code_challenge') === challenge &&
          entry.asked.get('redirect_uri') === form.get('redirect_uri') &&
          entry.asked.get('client_id') === clientId
        if (!fits) {
          refuse('invalid_grant')
          return
        }
        entry.used = true
        issue({ clientId, scope: entry.asked.get('scope') ?? '', dead: false }, response)
        return
      }
      case 'refresh_token': {
        const presented = form.get('refresh_token') ?? ''
        const entry = refresh.get(presented)
        if (entry?.used === true) {
          reuses.push(presented)
          entry.family.dead = true
        }
        if (entry === undefined || entry.family.dead || entry.family.clientId !== clientId) {
          refuse('invalid_grant')
          return
        }
        entry.used = true
        issue(entry.family, response)
        return
      }
      case 'client_credentials':
        issue({ clientId, scope: form.get('scope') ?? '', dead: false }, response, false)
        return
      default:
        refuse('unsupported_grant_type')
    }
  }

  function issue(family: Family, response: ServerResponse, refreshable = true): void {
    const lifetime = 'lifetime' in script ? script.lifetime : 3600
    const access_token = `access-${++issued}-${randomBytes(12).toString('hex')}`
    const refresh_token = `refresh-${issued}-${randomBytes(12).toString('hex')}`
    const until = Date.now() + (lifetime ?? 3600) * 1000
    access.set(access_token, { family, until })
    const kept = refreshable && script.refreshTokens !== false
    if (kept) refresh.set(refresh_token, { family, used: false })
    json(response, {
      access_token,
      token_type: 'Bearer',
      ...(lifetime === undefined ? {} : { expires_in: script.expiresIn ?? lifetime }),
      ...(kept ? { refresh_token } : {}),
      ...(family.scope === '' ? {} : { scope: family.scope }),
    })
  }

  return {
    issuer,
    server,
    script,
    registrations,
    authorizations,
    tokenCalls,
    reuses,
    scopeOf(presented) {
      const entry = access.get(presented ?? '')
      const lives = entry !== undefined && entry.until > Date.now() && !entry.family.dead
      return lives ? entry.family.scope : undefined
    },
    expireAccess: () => access.clear(),
    revokeAll() {
      access.clear()
      refresh.clear()
    },
    forgetClients: () => clients.clear(),
  }
}

function idOf(authorization: string | undefined): string {
  const encoded = /^Basic (.+)$/.exec(authorization ?? '')?.[1] ?? ''
  const [id = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  return decodeURIComponent(id.replaceAll('+', ' '))
}
