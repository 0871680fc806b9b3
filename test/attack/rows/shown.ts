import type { ServerResponse } from 'node:http'
import { visit } from '../../auth/browser-stub.ts'
import { startWorld, type World, type WorldOptions } from '../../auth/world.ts'
import { initialize } from '../../support/bridge.ts'
import { initializeResult, json } from '../../support/http-server.ts'
import { result, startMcpServer } from '../../support/mcp-server.ts'
import type { Attack, Group } from '../attack.ts'
import type { Program } from '../program.ts'
import { check, checkTerminal, ESCAPES, lives, open, request, settle, waitFor } from '../session.ts'

const refuse = (_request: unknown, response: ServerResponse): boolean => {
  json(response, { error: ESCAPES, error_description: ESCAPES }, { status: 400 })
  return true
}

/** The places in which an authorization server can say something. */
const PLACES: readonly { name: string; place: string; world: WorldOptions; page?: boolean }[] = [
  {
    name: 'registration',
    place: 'the refusal of a registration',
    world: { script: { register: refuse } },
  },
  {
    name: 'code',
    place: 'the refusal of a code',
    world: { script: { token: refuse } },
    page: true,
  },
  {
    name: 'person',
    place: 'the refusal of the person',
    world: {
      script: {
        authorize: (answer) =>
          new URLSearchParams({
            error: ESCAPES,
            error_description: ESCAPES,
            state: answer.get('state') ?? '',
          }),
      },
    },
    page: true,
  },
  {
    name: 'resource',
    place: 'the name of the resource',
    world: { metadata: { resource: `https://${ESCAPES}` } },
  },
  {
    name: 'issuer',
    place: 'the name of the issuer',
    world: { script: { metadata: { issuer: ESCAPES } } },
  },
  {
    name: 'authority',
    place: 'the address of the authorization server',
    world: { metadata: { authorization_servers: [ESCAPES] } },
  },
  {
    name: 'endpoint',
    place: 'an endpoint',
    world: { script: { metadata: { token_endpoint: ESCAPES } } },
  },
  {
    name: 'methods',
    place: 'the methods of PKCE',
    world: { script: { metadata: { code_challenge_methods_supported: [ESCAPES] } } },
  },
  {
    name: 'redirects',
    place: 'registered redirect URIs',
    world: {
      script: {
        register: (_request, response) => {
          json(response, { client_id: 'a', redirect_uris: [ESCAPES] }, { status: 201 })
          return true
        },
      },
    },
  },
]

/** Neither the terminal, nor the error, nor the page gets a control character. */
function checkShown(program: Program, page: string): void {
  checkTerminal(program)
  const { message = '' } = program.answers(0)[0]?.error ?? {}
  // oxlint-disable-next-line no-control-regex
  const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u
  check(!controls.test(message), 'the error has control characters')
  check(!controls.test(page.replaceAll(/[\t\r]/g, '')), 'the page has control characters')
  check(message.length <= 1_000, `the error has ${message.length} characters`)
}

const escapes: readonly Attack[] = PLACES.map(({ name, place, world: options, page = false }) => ({
  name: `escapes-in-${name}`,
  attack: `Terminal escapes, text from right to left and a false line in ${place}.`,
  expectation: 'stderr, the error and the page have no control character.',
  async run(stage) {
    const world = await startWorld(options)
    const program = stage.start(world.mcp.url)
    program.write(initialize(0))
    let text = ''
    if (page) {
      const link = await program.link()
      const visited = visit(link).catch(() => ({ text: '' }))
      await Promise.race([visited.then((shown) => (text = shown.text)), settle(5_000)])
    }
    await waitFor(
      'the end or a page',
      () => program.answers(0).length > 0 || program.hasEnded() || program.links().length > 0,
      { seen: program.stderr },
    )
    if (page) await program.ending(0)
    checkShown(program, text)
  },
}))

const names: Attack = {
  name: 'escapes-in-a-session',
  attack: 'Terminal escapes in the name of the server, its instructions, tools and log messages.',
  expectation: 'They arrive as JSON, and nothing of them on stderr.',
  async run(stage) {
    const server = await startMcpServer({
      initialize: ({ message }, response) => {
        const answer = initializeResult(message?.id) as { result: Record<string, unknown> }
        answer.result['instructions'] = ESCAPES
        answer.result['serverInfo'] = { name: ESCAPES, version: ESCAPES }
        json(response, answer)
      },
      'tools/list': (asked, response) =>
        json(
          response,
          result(asked, { tools: [{ name: ESCAPES, inputSchema: { type: 'object' } }] }),
        ),
      'tools/call': ({ message }, response) =>
        json(response, { jsonrpc: '2.0', id: message?.id, error: { code: -1, message: ESCAPES } }),
    })
    const program = await open(stage, server.url)
    program.write(request(1, 'tools/list', {}))
    program.write(request(2))
    const { result: listed } = await program.answer(1)
    await program.answer(2)
    await lives(program)
    const [tool] = (listed?.['tools'] ?? []) as { name: string }[]
    check(tool?.name === ESCAPES, 'the name was changed')
    checkTerminal(program)
  },
}

const KEY = 'sentinel-key-1f6a'
const SESSION = 'sentinel-session-5b3e'
const COOKIE = 'sentinel-cookie-c41d'

/** A sign-in, a refresh, a failed call and a refusal that repeats what was sent. */
async function liveThrough(world: World, program: Program): Promise<string[]> {
  program.write(initialize(0))
  const link = await program.link()
  await visit(link)
  check('result' in (await program.answer(0)), 'no session')
  world.authority.expireAccess()
  await lives(program, 1)
  program.write(request(2))
  await program.ending(2)
  world.authority.script.token = ({ form, authorization }, response) => {
    const error_description = `not ${authorization}, not ${form}`
    json(response, { error: 'invalid_target', error_description }, { status: 400 })
    return true
  }
  world.authority.expireAccess()
  program.write(request(3, 'ping', {}))
  await Promise.race([program.ending(3).catch(() => {}), settle(3_000)])
  const sent = world.mcp.seen.flatMap(({ headers }) => headers.authorization?.slice(7) ?? [])
  const forms = world.authority.tokenCalls.flatMap(({ form }) =>
    ['code', 'code_verifier', 'refresh_token', 'client_secret'].flatMap(
      (name) => form.get(name) ?? [],
    ),
  )
  return [...new Set([...sent, ...forms])]
}

const secretive = (): Promise<World> =>
  startWorld({
    judge: ({ message }) =>
      message?.method === 'tools/call' ? { status: 403, challenge: 'Bearer' } : undefined,
    session: { 'mcp-session-id': SESSION, 'set-cookie': `sid=${COOKIE}; HttpOnly` },
  })

const secrets: readonly Attack[] = [
  {
    name: 'secrets-in-what-is-written',
    attack:
      'Whoever can read the logs of a host looks for tokens; a refusal repeats what was sent.',
    expectation:
      'No token, code, verifier, header, session id or cookie is on stdout, stderr or a command line.',
    async run(stage) {
      const world = await secretive()
      const program = stage.start(world.mcp.url, { args: ['--header', `X-Api-Key: ${KEY}`] })
      const all = [...(await liveThrough(world, program)), SESSION, COOKIE]
      check(all.length >= 6, 'too few secrets crossed the wire')
      const commands = program.commandLines()
      const places = {
        stdout: program.lines().join('\n'),
        stderr: program.stderr(),
        'command lines': commands,
      }
      for (const [place, text] of Object.entries(places)) {
        const leaked = all.filter((secret) => text.includes(secret))
        check(leaked.length === 0, `${place} has ${leaked.join(', ')}`)
      }
      // The row itself has put the header on the command line.
      check(!program.stderr().includes(KEY), 'stderr has the value of a header')
    },
  },
  {
    name: 'secrets-for-the-wrong-server',
    attack: 'An authorization server collects what is sent with requests for metadata and tokens.',
    expectation:
      "The user's header, the session id, cookies and access tokens reach the MCP server only, and never in an address.",
    async run(stage) {
      const world = await secretive()
      const program = stage.start(world.mcp.url, { args: ['--header', `X-Api-Key: ${KEY}`] })
      const [access = '-'] = await liveThrough(world, program)
      const foreign = [
        ...world.authority.server.seen,
        ...world.mcp.seen.filter(({ path }) => path.startsWith('/.well-known/')),
      ]
      for (const { method, path, headers, body } of foreign) {
        const text = `${path}\n${JSON.stringify(headers)}\n${body.toString('utf8')}`
        for (const own of [KEY, SESSION, COOKIE, access]) {
          check(!text.includes(own), `${method} ${path} carries ${own}`)
        }
      }
      for (const { path } of [...world.mcp.seen, ...world.authority.server.seen]) {
        check(!/access-|refresh-|sentinel/.test(path), `${path} has a secret`)
      }
      const own = world.mcp.seen.filter(({ path }) => path === '/mcp')
      check(
        own.some(({ headers }) => headers['x-api-key'] === KEY),
        'the header was lost',
      )
    },
  },
  {
    name: 'header-of-the-user-beside-oauth',
    attack: 'A server refuses the Authorization header of the user with 401.',
    expectation: 'What is sent is that header or a token, never two; the header is not printed.',
    async run(stage) {
      const world = await startWorld()
      const args = ['--header', 'Authorization: Bearer own-token-5c']
      const program = stage.start(world.mcp.url, { args })
      program.write(initialize(0))
      await waitFor(
        'the end or a page',
        () => program.answers(0).length > 0 || program.hasEnded() || program.links().length > 0,
        { seen: program.stderr },
      )
      for (const { headers } of world.mcp.seen) {
        check(!(headers.authorization ?? '').includes(','), `it sent ${headers.authorization}`)
      }
      const stray = world.authority.server.seen.find(({ headers }) => 'authorization' in headers)
      check(stray === undefined, 'the authorization server got it')
      check(!program.stderr().includes('own-token-5c'), 'stderr has it')
    },
  },
]

/** What a person, a log or a language model gets to see. */
export const shown: Group = {
  title: 'What is shown',
  attacks: [...escapes, names, ...secrets],
}
