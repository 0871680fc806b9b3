import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { initialize } from '../../support/bridge.ts'
import { makeAuthority } from '../../support/certificate.ts'
import { startCanary } from '../../support/hostile-canary.ts'
import { initializeResult, startServer } from '../../support/http-server.ts'
import { event, type Handler, result, startMcpServer, stream } from '../../support/mcp-server.ts'
import { type Attack, DoesNotApply, type Group } from '../attack.ts'
import { attackCall, check, failsReadably, lives, open, request, settle } from '../session.ts'

/** Requests that one call may cause; browsers stop at 20 redirects. */
const MAX_REQUESTS = 25

const SECRET = ['--header', 'X-Api-Key: sentinel-key-7f3a']

const redirectTo =
  (status: number, location: string): Handler =>
  (_request, response) =>
    void response.writeHead(status, { location }).end()

const moved: readonly Attack[] = [301, 302, 303, 307, 308].map((status) => ({
  name: `redirect-${status}`,
  attack: `A call is redirected to another origin with ${status}.`,
  expectation:
    'Nothing arrives there: no header, no session, no body; the call ends with an error.',
  async run(stage) {
    const canary = await startCanary()
    const server = await startMcpServer({
      'tools/call': redirectTo(status, `${canary.origin}/mcp`),
    })
    const program = await open(stage, server.url, { args: SECRET })
    program.write(request(1))
    await failsReadably(program, 1)
    check(canary.hits().length === 0, `the other origin got ${String(canary.hits()[0])}`)
    await lives(program)
  },
}))

const astray: readonly Attack[] = [
  {
    name: 'redirect-of-everything-else',
    attack: 'The first request, the stream and the DELETE are redirected to another origin.',
    expectation: 'Nothing arrives there.',
    async run(stage) {
      const canary = await startCanary()
      const away = redirectTo(307, `${canary.origin}/mcp`)
      const server = await startMcpServer({ GET: away, DELETE: away })
      const program = await open(stage, server.url, { args: SECRET })
      await lives(program)
      await settle(300)
      program.end()
      await settle(500)
      const entry = await startMcpServer({ initialize: away })
      const second = stage.start(entry.url, { args: SECRET })
      second.write(initialize(0))
      check((await second.ending(0)) !== 'result', 'the host got a result')
      check(canary.hits().length === 0, `the other origin got ${String(canary.hits()[0])}`)
    },
  },
  {
    name: 'redirect-loop',
    attack: 'A call is redirected to itself.',
    expectation: `At most ${MAX_REQUESTS} requests, then an error.`,
    async run(stage) {
      const { program, server } = await attackCall(stage, redirectTo(307, '/mcp'))
      await failsReadably(program, 1)
      const calls = server.seen.filter(({ message }) => message?.method === 'tools/call')
      check(calls.length <= MAX_REQUESTS, `${calls.length} requests`)
      await lives(program)
    },
  },
  {
    name: 'redirect-without-end',
    attack: 'A call is redirected to a new address of the same origin, and again, and again.',
    expectation: `At most ${MAX_REQUESTS} requests, then an error.`,
    async run(stage) {
      let hops = 0
      const { program } = await attackCall(stage, (asked, response) => {
        redirectTo(308, `/mcp?hop=${++hops}`)(asked, response)
      })
      await failsReadably(program, 1)
      check(hops <= MAX_REQUESTS, `${hops} requests`)
    },
  },
  ...[
    'file:///etc/passwd',
    'data:application/json,{}',
    'ftp://127.0.0.1/x',
    '//',
    '\\\\evil\\x',
  ].map((location, index): Attack => ({
    name: `redirect-scheme-${index + 1}`,
    attack: `A call is redirected to \`${location}\`.`,
    expectation: 'The call ends with an error, the session goes on.',
    async run(stage) {
      const { program } = await attackCall(stage, redirectTo(302, location))
      const { error } = await failsReadably(program, 1)
      check(!JSON.stringify(error).includes('root:'), 'the error has the content of a file')
      await lives(program)
    },
  })),
  {
    name: 'redirect-https-to-http',
    attack: 'A server with TLS redirects to the same host without.',
    expectation: 'Nothing is sent in the clear.',
    async run(stage) {
      const authority = makeAuthority()
      const folder = mkdtempSync(join(tmpdir(), 'attack-ca-'))
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      const ca = join(folder, 'ca.pem')
      writeFileSync(ca, authority.cert)
      const canary = await startCanary()
      const server = await startMcpServer(
        { 'tools/call': redirectTo(308, `${canary.origin}/mcp`) },
        { tls: authority.issue('127.0.0.1') },
      )
      const env = { NODE_EXTRA_CA_CERTS: ca, SSL_CERT_FILE: ca }
      const program = await open(stage, server.url, { args: SECRET, env })
      program.write(request(1))
      await failsReadably(program, 1)
      check(canary.hits().length === 0, `in the clear: ${String(canary.hits()[0])}`)
    },
  },
]

/** The endpoint that an HTTP+SSE server names: where every message of the host would go. */
const ENDPOINTS: readonly { name: string; attack: string; endpoint: (canary: string) => string }[] =
  [
    {
      name: 'endpoint-on-another-origin',
      attack: 'An HTTP+SSE server names an endpoint on another origin.',
      endpoint: (canary) => `${canary}/messages`,
    },
    {
      name: 'endpoint-without-scheme',
      attack: 'An HTTP+SSE server names an endpoint as `//host`.',
      endpoint: (canary) => `${canary.replace('http:', '')}/messages`,
    },
    {
      name: 'endpoint-with-credentials',
      attack: 'An HTTP+SSE server hides another host behind its own name and an `@`.',
      endpoint: (canary) => `http://127.0.0.1:1@${canary.replace('http://', '')}/messages`,
    },
    {
      name: 'endpoint-with-backslashes',
      attack: 'An HTTP+SSE server names an endpoint with backslashes in the place of slashes.',
      endpoint: (canary) => `\\\\${canary.replace('http://', '')}\\messages`,
    },
    {
      name: 'endpoint-in-a-file',
      attack: 'An HTTP+SSE server names a file as its endpoint.',
      endpoint: () => 'file:///etc/passwd',
    },
  ]

const endpoints: readonly Attack[] = ENDPOINTS.map(({ name, attack, endpoint }) => ({
  name,
  attack,
  expectation: 'Nothing is sent there; `initialize` ends with an error or the program does.',
  async run(stage) {
    const canary = await startCanary()
    let opened = false
    const server = await startServer(
      ({ method }, response) => {
        if (method !== 'GET') return void response.writeHead(405).end()
        opened = true
        stream(response, `event: endpoint\ndata: ${endpoint(canary.origin)}\n\n`)
        return undefined
      },
      { path: '/sse' },
    )
    const program = stage.start(server.url, { args: SECRET })
    program.write(initialize(0))
    check((await program.ending(0)) !== 'result', 'the host got a result')
    if (!opened) throw new DoesNotApply('it does not speak HTTP+SSE here')
    check(canary.hits().length === 0, `it got ${String(canary.hits()[0])}`)
  },
}))

const movedEndpoint: Attack = {
  name: 'endpoint-that-moves',
  attack:
    'An HTTP+SSE server names a second endpoint, on another origin, in the middle of a session.',
  expectation: 'Nothing is sent there.',
  async run(stage) {
    const canary = await startCanary()
    const server = await startServer(
      (asked, response) => {
        const { method, message, path } = asked
        if (method === 'GET') {
          stream(response, 'event: endpoint\ndata: /messages\n\n')
          say = (text) => response.write(text)
          return
        }
        response.writeHead(path === '/sse' ? 405 : 202).end()
        if (path === '/sse' || message?.id === undefined) return
        const answer =
          message.method === 'initialize'
            ? initializeResult(message.id, '2024-11-05')
            : result(asked)
        say(event(answer))
      },
      { path: '/sse' },
    )
    let say: (text: string) => unknown = () => {}
    const program = await open(stage, server.url, { args: SECRET })
    say(`event: endpoint\ndata: ${canary.origin}/messages\n\n`)
    program.write(request(1, 'ping', {}))
    await program.ending(1).catch(() => {}) // a hang is no leak
    check(canary.hits().length === 0, `it got ${String(canary.hits()[0])}`)
  },
}

/** Ways of a server to send the program somewhere else. */
export const redirected: Group = {
  title: 'Redirects and endpoints',
  attacks: [...moved, ...astray, ...endpoints, movedEndpoint],
}
