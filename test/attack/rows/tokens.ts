import type { ServerResponse } from 'node:http'
import { visit } from '../../auth/browser-stub.ts'
import { startWorld, type World } from '../../auth/world.ts'
import { initialize } from '../../support/bridge.ts'
import { startCanary } from '../../support/hostile-canary.ts'
import { json } from '../../support/http-server.ts'
import { type Attack, type Group, PATIENT } from '../attack.ts'
import {
  check,
  getsNothing,
  ESCAPES,
  failsReadably,
  lives,
  request,
  settle,
  waitFor,
} from '../session.ts'
import { awaitPerson, signIn } from '../sign-in.ts'

/** The tokens that reached the MCP server. */
const tokens = (world: World): (string | undefined)[] =>
  world.mcp.seen.map(({ headers }) => headers.authorization)

/** Answers to a code that hold no token that can be used. */
const USELESS: readonly { name: string; attack: string; body: string | object; status?: number }[] =
  [
    { name: 'nothing', attack: 'an empty object', body: {} },
    { name: 'null', attack: '`null`', body: 'null' },
    { name: 'a-list', attack: 'a list', body: '[]' },
    { name: 'a-page', attack: 'a page', body: '<html>' },
    {
      name: 'a-number',
      attack: 'a number as token',
      body: { access_token: 1, token_type: 'Bearer' },
    },
    {
      name: 'an-object',
      attack: 'an object as token',
      body: { access_token: { toString: 'x' }, token_type: 'Bearer' },
    },
    {
      name: 'two-lines',
      attack: 'a token with CR, LF and what looks like another header',
      body: { access_token: 'a\r\nX-Evil: 1', token_type: 'Bearer' },
    },
    {
      name: 'a-nul',
      attack: 'a token with a NUL byte',
      body: { access_token: 'a\0b', token_type: 'Bearer' },
    },
    {
      name: 'an-error-with-200',
      attack: 'an error with status 200',
      body: { error: 'server_error', access_token: undefined },
    },
  ]

const useless: readonly Attack[] = USELESS.map(({ name, attack, body }) => ({
  name: `token-${name}`,
  bounds: PATIENT,
  attack: `In the place of tokens comes ${attack}.`,
  expectation: 'Nothing of it is sent as a credential; the request ends without a result.',
  async run(stage) {
    const world = await startWorld({
      script: { token: (_call, response) => (json(response, body), true) },
    })
    const program = stage.start(world.mcp.url)
    program.write(initialize(0))
    await Promise.race([visit(await program.link()).catch(() => {}), settle(5_000)])
    await getsNothing(program)
    const sent = tokens(world).find((value) => value !== undefined)
    check(sent === undefined, `the server got ${JSON.stringify(sent)}`)
    check(!world.mcp.seen.some(({ headers }) => 'x-evil' in headers), 'a header was smuggled')
  },
}))

/** What a server may say about the life of a token. */
const LIVES: readonly [name: string, value: unknown][] = [
  ['negative', -1],
  ['zero', 0],
  ['beyond-a-timer', 2 ** 31],
  ['beyond-a-date', 1e308],
  ['in-a-string', '3600'],
  ['in-words', 'one hour'],
  ['null', null],
]

const lifetimes: readonly Attack[] = LIVES.map(([name, expiresIn]) => ({
  name: `expires-in-${name}`,
  attack: `\`expires_in\` is \`${JSON.stringify(expiresIn)}\`.`,
  expectation:
    'Three requests work, also after a restart; at most six token requests and no second page.',
  async run(stage) {
    const world = await startWorld({ script: { expiresIn: expiresIn as number } })
    const first = await signIn(stage, world)
    for (const id of [1, 2, 3]) await lives(first, id)
    first.end()
    await first.exit(5_000).catch(() => first.kill())
    const second = stage.start(world.mcp.url, { home: first.home })
    second.write(initialize(0))
    check((await second.ending(0)) === 'result', 'after a restart, no result')
    for (const id of [1, 2, 3]) await lives(second, id)
    const { tokenCalls, authorizations } = world.authority
    check(tokenCalls.length <= 6, `${tokenCalls.length} token requests`)
    check(authorizations.length === 1, `${authorizations.length} pages`)
  },
}))

const registered: readonly Attack[] = [
  {
    name: 'registration-of-another-redirect',
    attack: 'A registration answers with the redirect URI of somebody else.',
    expectation: 'No page would bring the code there.',
    async run(stage) {
      const world = await startWorld({
        script: {
          register: (_asked, response) => {
            const redirect_uris = ['https://evil.example/callback']
            json(response, { client_id: 'client-1', redirect_uris }, { status: 201 })
            return true
          },
        },
      })
      const program = stage.start(world.mcp.url)
      program.write(initialize(0))
      await waitFor(
        'a page or the end',
        () => program.links().length > 0 || program.answers(0).length > 0 || program.hasEnded(),
        { seen: program.stderr },
      )
      check(!program.links().some((link) => link.includes('evil.example')), 'the code goes there')
    },
  },
  {
    name: 'registration-without-an-id',
    attack: 'A registration answers without a client id.',
    expectation: 'No page is opened for a client `undefined`; the request ends.',
    async run(stage) {
      const world = await startWorld({
        script: { register: (_asked, response) => (json(response, {}, { status: 201 }), true) },
      })
      const program = stage.start(world.mcp.url)
      program.write(initialize(0))
      await getsNothing(program)
      check(program.links().length === 0, `a page was opened: ${program.links()[0]}`)
    },
  },
]

/** The person comes as often as the program asks. */
async function keepVisiting(
  links: () => string[],
  over: () => boolean,
  most: number,
): Promise<void> {
  for (let visited = 0; visited < most && !over();) {
    const link = links()[visited]
    if (link === undefined) await settle(50)
    else await visit(link).catch(() => {})
    if (link !== undefined) visited++
  }
}

const storms: readonly Attack[] = [
  {
    name: 'every-token-refused',
    bounds: PATIENT,
    attack: 'A server refuses every token that a sign-in brings.',
    expectation: 'The request ends after at most 3 pages, 10 tries and 10 token requests.',
    async run(stage) {
      const world = await startWorld({
        judge: () => ({ status: 401, challenge: 'Bearer error="invalid_token"' }),
      })
      const program = stage.start(world.mcp.url)
      program.write(initialize(0))
      const over = (): boolean => program.answers(0).length > 0 || program.hasEnded()
      await Promise.race([keepVisiting(program.links, over, 5), settle(15_000)])
      await getsNothing(program)
      const { authorizations, tokenCalls } = world.authority
      check(authorizations.length <= 3, `${authorizations.length} pages`)
      check(tokenCalls.length <= 10, `${tokenCalls.length} token requests`)
      const tries = world.calls().filter(({ method }) => method === 'initialize').length
      check(tries <= 10, `${tries} tries`)
    },
  },
  {
    name: 'every-scope-insufficient',
    bounds: PATIENT,
    attack: 'A server wants another scope after each sign-in.',
    expectation: 'The call ends after at most 4 pages.',
    async run(stage) {
      let wanted = 0
      const world = await startWorld({
        judge: ({ message }) =>
          message?.method === 'tools/call'
            ? {
                status: 403,
                challenge: `Bearer error="insufficient_scope", scope="scope-${++wanted}"`,
              }
            : undefined,
      })
      const program = await signIn(stage, world)
      program.write(request(1))
      const over = (): boolean => program.answers(1).length > 0 || program.hasEnded()
      await Promise.race([keepVisiting(program.links, over, 8), settle(15_000)])
      check((await program.ending(1)) !== 'result', 'the host got a result')
      const pages = world.authority.authorizations.length
      check(pages <= 4, `${pages} pages`)
    },
  },
  {
    name: 'refresh-reused',
    attack: 'Ten requests of two processes meet an expired token at once.',
    expectation:
      'No refresh token is presented twice; all requests get their results, without a page.',
    async run(stage) {
      const world = await startWorld()
      const first = await signIn(stage, world)
      const second = stage.start(world.mcp.url, { home: first.home })
      second.write(initialize(0))
      check((await second.ending(0)) === 'result', 'the second process has no session')
      const pages = world.authority.authorizations.length
      world.authority.expireAccess()
      const both = [first, second]
      for (let id = 1; id <= 10; id++) {
        for (const program of both) program.write(request(id, 'ping', {}))
      }
      for (let id = 1; id <= 10; id++) {
        for (const program of both)
          check('result' in (await program.answer(id)), `no result for ${id}`)
      }
      const { reuses, authorizations } = world.authority
      check(reuses.length === 0, `${reuses.length} refresh tokens were presented again`)
      check(authorizations.length === pages, 'a page was opened')
    },
  },
  {
    name: 'refresh-during-an-outage',
    attack: 'The authorization server answers every refresh with 502 and a page.',
    expectation: 'No page is opened: the call ends with a readable error.',
    bounds: PATIENT,
    async run(stage) {
      const world = await startWorld()
      const program = await signIn(stage, world)
      const pages = program.browser.calls().length
      world.authority.script.token = (_call, response) => {
        response.writeHead(502, { 'content-type': 'text/html' }).end(`<html>${ESCAPES}</html>`)
        return true
      }
      world.authority.expireAccess()
      program.write(request(1))
      await failsReadably(program, 1, 30_000)
      check(program.browser.calls().length === pages, 'a page was opened')
    },
  },
]

const passedOn: readonly Attack[] = [
  {
    name: 'token-in-a-redirect',
    attack: 'A call with a token is redirected to another origin.',
    expectation: 'The token is not sent there.',
    async run(stage) {
      const canary = await startCanary()
      const world = await startWorld({
        judge: ({ message }) =>
          message?.method === 'tools/call'
            ? { status: 307, challenge: 'Bearer', headers: { location: canary.origin } }
            : undefined,
      })
      const program = await signIn(stage, world)
      program.write(request(1))
      await program.ending(1)
      check(!canary.hits().join('').includes('access-'), 'the token was sent there')
    },
  },
  {
    name: 'token-for-another-authority',
    attack:
      'The server names another authorization server after the sign-in and refuses the token.',
    expectation:
      'Neither the token nor the refresh token nor the client of the first is sent to it.',
    async run(stage) {
      const world = await startWorld()
      const evil = await startWorld()
      const program = await signIn(stage, world)
      world.authority.revokeAll()
      world.trust(evil.authority)
      program.write(request(1))
      await waitFor(
        'a page, an answer or the end',
        () => program.links().length > 1 || program.answers(1).length > 0 || program.hasEnded(),
        { seen: program.stderr },
      )
      const link = program.links()[1]
      if (link !== undefined) await visit(link).catch(() => {})
      const got = evil.authority.server.seen
        .map(
          ({ body, headers, path }) => `${path}${JSON.stringify(headers)}${body.toString('utf8')}`,
        )
        .join('\n')
      check(!/(?:access|refresh)-\d+-[0-9a-f]{24}/.test(got), `it got ${got}`)
    },
  },
]

const unknown = (response: ServerResponse): boolean => {
  json(response, { error: 'unknown' }, { status: 418 })
  return true
}

const refusals: readonly Attack[] = [
  {
    name: 'code-refused-without-end',
    bounds: PATIENT,
    attack: 'Every code is refused with an error that no specification has.',
    expectation: 'The code is sent at most twice; the request ends without a result.',
    async run(stage) {
      const { program, link, world } = await awaitPerson(stage, {
        script: { token: (_call, response) => unknown(response) },
      })
      await Promise.race([visit(link).catch(() => {}), settle(5_000)])
      await getsNothing(program)
      const { tokenCalls } = world.authority
      check(tokenCalls.length <= 2, `${tokenCalls.length} token requests`)
    },
  },
]

/** Registrations, codes, tokens and refreshes with a hostile authorization server. */
export const authorized: Group = {
  title: 'Tokens',
  attacks: [...useless, ...lifetimes, ...registered, ...storms, ...passedOn, ...refusals],
}
