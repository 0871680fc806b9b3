import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** How the stand-in answers. */
type Behaviour = 'well' | 'decline' | 'refuse-code' | 'break' | 'html' | 'redirect'

/** The three endpoints of GitHub that a sign-in needs, as strict about them as GitHub is. */
export interface GitHubStandIn {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  behave(next: Behaviour): void
  /** The query of the last authorization request. */
  lastAuthorization(): Readonly<Record<string, string>>
  /** Every code and token that was handed out. */
  issued(): readonly string[]
  stop(): Promise<void>
}

/** Starts the stand-in. The person who signs in there is always octocat, without a page. */
export async function startGitHub(): Promise<GitHubStandIn> {
  const clientId = 'github-client'
  const clientSecret = 'github-secret-value'
  const codes = new Map<string, Readonly<Record<string, string>>>()
  const tokens = new Set<string>()
  const issued: string[] = []
  let behaviour: Behaviour = 'well'
  let last: Readonly<Record<string, string>> = {}

  const issue = (): string => {
    const secret = randomUUID()
    issued.push(secret)
    return secret
  }

  const authorize = (query: URLSearchParams, response: ServerResponse): void => {
    last = Object.fromEntries(query)
    const target = new URL(query.get('redirect_uri') ?? '')
    target.searchParams.set('state', query.get('state') ?? '')
    if (behaviour === 'decline') {
      target.searchParams.set('error', 'access_denied')
    } else {
      const code = issue()
      codes.set(code, last)
      target.searchParams.set('code', code)
    }
    response.writeHead(302, { Location: target.href }).end()
  }

  const exchange = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const form = Object.fromEntries(new URLSearchParams(text))
    const asked = codes.get(form['code'] ?? '')
    const challenge = createHash('sha256')
      .update(form['code_verifier'] ?? '')
      .digest('base64url')
    const isGood =
      behaviour !== 'refuse-code' &&
      form['client_id'] === clientId &&
      form['client_secret'] === clientSecret &&
      form['redirect_uri'] === asked?.['redirect_uri'] &&
      challenge === asked?.['code_challenge'] &&
      request.headers.accept === 'application/json'
    // GitHub says 200 to everything here.
    if (!isGood) return sendJson(response, 200, { error: 'bad_verification_code' })
    codes.delete(form['code'] ?? '')
    const token = issue()
    tokens.add(token)
    sendJson(response, 200, { access_token: token, token_type: 'bearer', scope: 'read:user' })
  }

  const whoIs = (request: IncomingMessage, response: ServerResponse): void => {
    const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
    // GitHub refuses API requests without a user agent.
    const isGood = tokens.has(token) && request.headers['user-agent'] !== undefined
    if (isGood) sendJson(response, 200, { id: 583231, login: 'octocat', name: 'The Octocat' })
    else sendJson(response, 401, { message: 'Bad credentials' })
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://stand-in')
    if (url.pathname === '/login/oauth/authorize') return authorize(url.searchParams, response)
    if (behaviour === 'break') return sendJson(response, 503, { message: 'Unicorn!' })
    if (behaviour === 'html') return void response.end('<!doctype html>')
    if (behaviour === 'redirect')
      return void response.writeHead(302, { Location: '/elsewhere' }).end()
    if (url.pathname === '/login/oauth/access_token') return void exchange(request, response)
    if (url.pathname === '/api/user') return whoIs(request, response)
    sendJson(response, 404, {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return {
    url: `http://127.0.0.1:${address.port}`,
    clientId,
    clientSecret,
    behave: (next) => {
      behaviour = next
    },
    lastAuthorization: () => last,
    issued: () => issued,
    async stop() {
      server.close()
      server.closeAllConnections()
      if (server.listening) await once(server, 'close')
    },
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(body))
}
