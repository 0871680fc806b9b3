import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { Provider } from 'oidc-provider'
import { onTestFinished } from 'vitest'
import { openBrowser } from './browser-stub.ts'
import type { TestServer } from '../support/http-server.ts'
import { createProofChecker } from './proofs.ts'
import { startProtected } from './protected.ts'

/** A real OpenID provider that asks nobody anything, and an MCP server that trusts it. */
export interface OidcWorld {
  readonly issuer: string
  readonly provider: Provider
  readonly mcp: TestServer
  /** Requests to the provider: method and path. */
  readonly asked: string[]
  /** How requests to a server with bound tokens were refused, in order. */
  refusals(): readonly string[]
  /** What a person does with the address of a device sign-in. */
  confirmDevice(link: string): Promise<void>
}

/** What a test wants otherwise. */
export interface OidcOptions {
  /** Seconds that an access token lives. */
  readonly accessTtl?: number
  readonly device?: boolean
  readonly clients?: readonly object[]
  /** Tokens are bound to keys, and both servers want to see nonces in proofs. */
  readonly dpop?: boolean
  /** More headers of the answer to `initialize`. */
  readonly session?: Readonly<Record<string, string>>
  /** TLS of the provider; clients are then known by their certificates. */
  readonly tls?: TlsOptions
  /** More of the provider's configuration. */
  readonly more?: object
  /** Adds to the provider before anybody asks it. */
  prepare?(provider: Provider): void
}

const SCOPES = 'mcp:read mcp:write'

/** Starts both on loopback; they end with the test. */
export async function startOidcWorld(options: OidcOptions = {}): Promise<OidcWorld> {
  const asked: string[] = []
  let handle = (_request: IncomingMessage, response: ServerResponse): unknown =>
    response.writeHead(503).end()
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    asked.push(`${request.method} ${request.url?.split('?', 1)[0]}`)
    handle(request, response)
  }
  const { tls, dpop = false } = options
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const issuer = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, configuration(options))
  options.prepare?.(provider)
  const callback = provider.callback()
  const proofs = createProofChecker()
  handle = (request, response) =>
    request.url?.startsWith('/interaction/') === true
      ? consent(provider, request, response)
      : callback(request, response)
  const mcp = await startProtected({
    session: options.session ?? {},
    metadata: (resource) => ({
      resource,
      authorization_servers: [issuer],
      scopes_supported: SCOPES.split(' '),
    }),
    async judge(token, request, url) {
      const found =
        token === undefined
          ? undefined
          : ((await provider.AccessToken.find(token)) ??
            (await provider.ClientCredentials.find(token)))
      const good = found?.aud === url && !found.isExpired
      if (dpop) return proofs.judge(request, url, good ? found : undefined)
      if (good) return 'accept'
      const metadata = new URL('/.well-known/oauth-protected-resource/mcp', url).href
      const error = token === undefined ? '' : ', error="invalid_token"'
      return { status: 401, challenge: `Bearer resource_metadata="${metadata}"${error}` }
    },
  })
  return { issuer, provider, mcp, asked, refusals: () => proofs.refusals, confirmDevice }
}

function configuration({
  accessTtl = 3600,
  device = false,
  clients = [],
  dpop = false,
  tls,
  more = {},
}: OidcOptions): object {
  return {
    clients,
    cookies: { keys: ['test'] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async (_: unknown, client: { grantTypeAllowed(type: string): boolean }) =>
      client.grantTypeAllowed('refresh_token'),
    scopes: ['offline_access', ...SCOPES.split(' ')],
    ttl: { AccessToken: accessTtl, ClientCredentials: accessTtl },
    findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: device },
      ...(dpop ? { dPoP: DPOP } : {}),
      ...(tls === undefined ? {} : { mTLS: MTLS }),
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_: unknown, audience: string) => ({
          scope: SCOPES,
          audience,
          accessTokenTTL: accessTtl,
          accessTokenFormat: 'opaque',
        }),
        useGrantedResource: () => true,
      },
    },
    ...more,
  }
}

const DPOP = {
  enabled: true,
  nonceSecret: Buffer.alloc(32, 1),
  requireNonce: () => true,
}

/** What the provider asks about the connection of a client with a certificate. */
const MTLS = {
  enabled: true,
  tlsClientAuth: true,
  certificateAuthorized: ({ socket }: { socket: TLSSocket }) => socket.authorized,
  getCertificate: ({ socket }: { socket: TLSSocket }) =>
    socket.getPeerX509Certificate()?.toString(),
  certificateSubjectMatches: (
    { socket }: { socket: TLSSocket },
    _property: string,
    expected: string,
  ) => socket.getPeerX509Certificate()?.subjectAltName?.includes(`DNS:${expected}`) === true,
}

/** Opens the address, which carries the code, and confirms it: each page is one form. */
async function confirmDevice(link: string): Promise<void> {
  const browser = openBrowser()
  let page = await browser.visit(link)
  for (let form = 0; form < 3 && /<form/.test(page.text); form++) {
    const fields = [...page.text.matchAll(/name="([^"]+)"[^>]*value="([^"]*)"/g)]
    const action = /action="([^"]+)"/.exec(page.text)?.[1] ?? page.url
    const body = new URLSearchParams(
      fields.map(([, name, value]): [string, string] => [name!, value!]),
    )
    page = await browser.visit(new URL(action, page.url).href, body)
  }
}

/** Everybody signs in as the same person and consents to everything. */
async function consent(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { prompt, params, grantId } = await provider.interactionDetails(request, response)
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: 'ada' } })
    return
  }
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const clientId = String(params['client_id'])
  const grant = known ?? new provider.Grant({ accountId: 'ada', clientId })
  const { missingOIDCScope, missingResourceScopes } = prompt.details as {
    missingOIDCScope?: string[]
    missingResourceScopes?: Record<string, string[]>
  }
  if (missingOIDCScope !== undefined) grant.addOIDCScope(missingOIDCScope.join(' '))
  for (const [resource, missing] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, missing.join(' '))
  }
  const result = { consent: { grantId: await grant.save() } }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true })
}
