import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { openBrowser, type Browser, type SignInOptions } from '../dev/browser.mjs'

/** What the token endpoint answers. */
export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_in: number
  readonly scope: string
  readonly resource: string
}

/** A hand-written MCP client, as far as OAuth goes: every step can be taken alone and done wrong. */
export interface App {
  readonly clientId: string
  /** The first URL for the browser; each call has a PKCE verifier of its own, kept for `redeem`. */
  authorizeUrl(changes?: Readonly<Record<string, string | undefined>>): string
  /** A whole sign-in in the browser: the URL at which the app was called back. */
  signIn(scope?: string, options?: SignInOptions & { browser?: Browser }): Promise<URL>
  /** Exchanges the code of a callback. */
  redeem(callback: URL): Promise<Response>
  refresh(refreshToken: string): Promise<Response>
  /** Signs in and exchanges the code. */
  obtain(scope?: string, options?: SignInOptions & { browser?: Browser }): Promise<Tokens>
}

/** A page on loopback to which browsers are sent back; it accepts everything. */
export async function listenForCallback(): Promise<{ url: string; close(): void }> {
  const server = createServer((_request, response) => response.end('Signed in.'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return { url: `http://127.0.0.1:${address.port}/callback`, close: () => server.close() }
}

/** Asks the Worker to register a client, with the metadata of an ordinary native app. */
export function register(
  worker: string,
  changes: Readonly<Record<string, unknown>>,
): Promise<Response> {
  return fetch(`${worker}/oauth/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Test app',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      ...changes,
    }),
  })
}

/** Registers an app for one of the Worker's resources. */
export async function registerApp(
  worker: string,
  redirectUri: string,
  path = '/mcp',
): Promise<App> {
  const answer = await register(worker, { redirect_uris: [redirectUri] })
  const { client_id: clientId } = (await answer.json()) as { client_id: string }
  return makeApp(worker, clientId, redirectUri, path)
}

/** An app whose client id is known already. */
export function makeApp(worker: string, clientId: string, redirectUri: string, path = '/mcp'): App {
  const resource = worker + path
  let verifier = ''

  const askForTokens = (parameters: Readonly<Record<string, string>>): Promise<Response> =>
    fetch(`${worker}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: clientId, resource, ...parameters }),
    })

  const app: App = {
    clientId,
    authorizeUrl(changes = {}) {
      verifier = randomBytes(32).toString('base64url')
      const url = new URL('/authorize', worker)
      const parameters = {
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: 'mcp:read',
        state: 'state-of-the-app',
        resource,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        ...changes,
      }
      for (const [name, value] of Object.entries(parameters)) {
        if (value !== undefined) url.searchParams.set(name, value)
      }
      return url.href
    },
    async signIn(scope = 'mcp:read', { browser = openBrowser(), ...options } = {}) {
      const { finalUrl } = await browser.signIn(app.authorizeUrl({ scope }), options)
      return new URL(finalUrl)
    },
    redeem: (callback) =>
      askForTokens({
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }),
    refresh: (refreshToken) =>
      askForTokens({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    async obtain(scope, options) {
      const answer = await app.redeem(await app.signIn(scope, options))
      if (!answer.ok) throw new Error(`token endpoint: ${answer.status} ${await answer.text()}`)
      return (await answer.json()) as Tokens
    },
  }
  return app
}

/** One JSON-RPC request by hand, so that the HTTP status can be seen. */
export function post(
  url: string,
  token: string | undefined,
  message: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'Mcp-Protocol-Version': '2025-06-18',
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
  })
}

/** A tool call as message. */
export const toolCall = (name: string, args: Readonly<Record<string, unknown>> = {}) => ({
  method: 'tools/call',
  params: { name, arguments: args },
})

/** The structured content of a tool's answer, whether it came as JSON or as an event. */
export async function structuredOf(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const text = await response.text()
  const data = /^data: (\{.*)$/m.exec(text)?.[1] ?? text
  const { result } = JSON.parse(data) as { result: { structuredContent: Record<string, unknown> } }
  return result.structuredContent
}
