import type { ServerResponse } from 'node:http'
import { visit } from '../../auth/browser-stub.ts'
import { startProtected } from '../../auth/protected.ts'
import { startWorld, type WorldOptions } from '../../auth/world.ts'
import { initialize } from '../../support/bridge.ts'
import { type Canary, startCanary } from '../../support/hostile-canary.ts'
import { json } from '../../support/http-server.ts'
import { type Attack, type Group, PATIENT, type Stage } from '../attack.ts'
import { bomb, drip, pump } from '../floods.ts'
import { startNaming, PLACES } from '../naming.ts'
import type { Program } from '../program.ts'
import { check, getsNothing, settle, waitFor } from '../session.ts'

const MIB = 1024 * 1024

/** Until the program either gives up or wants the person to go to a page. */
function settled(program: Program): Promise<unknown> {
  return waitFor(
    'the end of the discovery',
    () => program.links().length > 0 || program.answers(0).length > 0 || program.hasEnded(),
    { seen: program.stderr },
  )
}

function untouched(canary: Canary): void {
  const [first] = canary.hits()
  check(first === undefined, `it was reached: ${String(first)}`)
}

/** Documents that name an authorization server or a method that is not to be trusted. */
const LIES: readonly { name: string; attack: string; options: WorldOptions; asked: string }[] = [
  {
    name: 'metadata-of-another-resource',
    attack: 'The metadata is that of a bank; its authorization server would get to know us.',
    options: { metadata: { resource: 'https://bank.example/mcp' } },
    asked: '',
  },
  {
    name: 'metadata-of-another-issuer',
    attack: "The authorization server's metadata names another issuer.",
    options: { script: { metadata: { issuer: 'https://bank.example' } } },
    asked: 'GET',
  },
  {
    name: 'metadata-without-pkce',
    attack: 'The authorization server does not say that it supports PKCE.',
    options: { script: { metadata: { code_challenge_methods_supported: undefined } } },
    asked: 'GET',
  },
  {
    name: 'metadata-with-plain-pkce',
    attack: 'The authorization server supports PKCE as `plain` only (downgrade).',
    options: { script: { metadata: { code_challenge_methods_supported: ['plain'] } } },
    asked: 'GET',
  },
]

const lies: readonly Attack[] = LIES.map(({ name, attack, options, asked }) => ({
  name,
  attack,
  expectation:
    'No page is opened, nobody registered, no older way of signing in is tried; the first request ends with an error or the program does.',
  async run(stage) {
    const world = await startWorld(options)
    const program = stage.start(world.mcp.url)
    program.write(initialize(0))
    await settled(program)
    const [link] = program.links()
    check(link === undefined, `a page was opened: ${link}`)
    const methods = [...new Set(world.authority.server.seen.map(({ method }) => method))].join()
    check(asked.includes(methods), `the authorization server got ${methods}`)
    const older = world.mcp.seen.find(({ path }) => /^\/(authorize|register|token)/.test(path))
    check(older === undefined, `the server got ${String(older?.path)}`)
    await getsNothing(program)
  },
}))

/** Runs a discovery that must not touch a canary, neither by itself nor when a person signs in. */
async function keepsAway(
  stage: Stage,
  host: Parameters<typeof startNaming>[0],
  place: (typeof PLACES)[number],
  target: (canary: Canary) => string,
): Promise<void> {
  const canary = await startCanary()
  const naming = await startNaming(host, { [place]: target(canary) })
  const program = stage.start(naming.url, naming.start)
  program.write(initialize(0))
  await settled(program)
  const [link] = program.links()
  if (link !== undefined) {
    check(!link.startsWith(target(canary)), `the person was sent to ${link.slice(0, 80)}`)
    const asked = new URL(link).searchParams
    const answer = new URLSearchParams({ code: 'code-1', state: asked.get('state') ?? '' })
    await Promise.race([
      visit(`${asked.get('redirect_uri')}?${answer}`).catch(() => {}),
      settle(5_000),
    ])
    await settle(300)
  }
  const there = naming.connections().filter((entry) => entry.endsWith(` ${canary.port}`))
  check(there.length === 0, `it connected to ${there.join(', ')}`)
  untouched(canary)
}

const inTheClear: readonly Attack[] = PLACES.map((place) => ({
  name: `in-the-clear-${place.replaceAll('_', '-')}`,
  attack: `\`${place}\` is a http address of another machine.`,
  expectation: 'Nothing is sent there, not even a SYN; the person is not sent there either.',
  run: (stage) =>
    keepsAway(stage, '127.0.0.1', place, (canary) => `http://as.example:${canary.port}/x`),
}))

/** Addresses of the machine itself, of its network, and of what clouds tell their machines. */
const PRIVATE = [
  'localhost',
  '[::1]',
  '0.0.0.0',
  '169.254.169.254',
  '[::ffff:169.254.169.254]',
  '10.0.0.5',
  '2130706433',
  'intranet.example',
]

const inside: readonly Attack[] = [
  ...PLACES.map((place) => [place, '127.0.0.1'] as const),
  ...PRIVATE.map((address) => ['authorization_servers', address] as const),
].map(([place, address]) => ({
  name: `inside-${place.replaceAll('_', '-')}-${address.replaceAll(/[^\w.:]/g, '')}`,
  attack: `A public server names \`${address}\` as its \`${place}\` (SSRF).`,
  expectation: 'Nothing is sent there, not even a SYN.',
  run: (stage) =>
    keepsAway(stage, 'mcp.example', place, (canary) => `https://${address}:${canary.port}/x`),
}))

const insideLater: Attack = {
  name: 'inside-token-endpoint-by-name',
  attack: 'A public server names a token endpoint whose public name has a private address.',
  expectation: 'The code is not sent there.',
  run: (stage) =>
    keepsAway(
      stage,
      'mcp.example',
      'token_endpoint',
      (canary) => `https://intranet.example:${canary.port}/token`,
    ),
}

const away =
  (location: string, status = 302) =>
  (_request: unknown, response: ServerResponse): boolean => {
    response.writeHead(status, { location }).end()
    return true
  }

const redirected: readonly Attack[] = [
  {
    name: 'redirect-of-resource-metadata',
    attack: 'The metadata of the server is redirected to another origin.',
    expectation: 'Nothing is sent there.',
    async run(stage) {
      const canary = await startCanary()
      const redirect = away(`${canary.origin}/metadata`)
      const server = await startProtected({
        judge: () => ({ status: 401, challenge: 'Bearer resource_metadata="/moved"' }),
        also: (asked, response) => asked.path !== '/mcp' && redirect(asked, response),
      })
      const program = stage.start(server.url)
      program.write(initialize(0))
      await settled(program)
      untouched(canary)
    },
  },
  {
    name: 'redirect-of-server-metadata',
    attack: 'The metadata of the authorization server is redirected to another origin.',
    expectation: 'Nothing is sent there.',
    async run(stage) {
      const canary = await startCanary()
      const world = await startWorld({ script: { other: away(`${canary.origin}/metadata`, 301) } })
      world.publish({ authorization_servers: [`${world.authority.issuer}/tenant`] })
      const program = stage.start(world.mcp.url)
      program.write(initialize(0))
      await settled(program)
      untouched(canary)
    },
  },
  {
    name: 'redirect-of-the-registration',
    attack: 'The registration is redirected to another origin with 307.',
    expectation: 'Nothing is sent there.',
    async run(stage) {
      const canary = await startCanary()
      const world = await startWorld({
        script: { register: away(`${canary.origin}/register`, 307) },
      })
      const program = stage.start(world.mcp.url)
      program.write(initialize(0))
      await settled(program)
      untouched(canary)
    },
  },
  ...[301, 302, 303, 307, 308].map((status): Attack => ({
    name: `redirect-of-the-code-${status}`,
    attack: `The token request is redirected to another origin with ${status}.`,
    expectation: 'Neither the code nor a secret is sent there.',
    async run(stage) {
      const canary = await startCanary()
      const world = await startWorld({
        script: { token: away(`${canary.origin}/token`, status) },
      })
      const program = stage.start(world.mcp.url)
      program.write(initialize(0))
      await Promise.race([visit(await program.link()).catch(() => {}), settle(5_000)])
      await waitFor('a token request', () => world.authority.tokenCalls.length > 0)
      await settle(300)
      untouched(canary)
    },
  })),
]

/** Challenges that try to be read as something else. */
const CHALLENGES: readonly { name: string; attack: string; challenge: (url: string) => string }[] =
  [
    {
      name: 'challenge-in-a-quoted-string',
      attack: 'The realm of another scheme quotes a challenge that names another place.',
      challenge: (url) => `Basic realm="x, Bearer resource_metadata=\\"${url}\\""`,
    },
    {
      name: 'challenge-of-60-kilobytes',
      attack: 'A challenge of ten thousand parameters, unclosed quotes and backslashes.',
      challenge: () => `Bearer ${'a="\\'.repeat(2_000)}, ${'b=c, '.repeat(1_000)}`,
    },
  ]

const challenges: readonly Attack[] = CHALLENGES.map(({ name, attack, challenge }) => ({
  name,
  attack,
  expectation: 'Nothing that it quotes is asked; the request ends within 20 s.',
  async run(stage) {
    const canary = await startCanary()
    const server = await startProtected({
      judge: () => ({ status: 401, challenge: challenge(`${canary.origin}/metadata`) }),
    })
    const program = stage.start(server.url)
    program.write(initialize(0))
    await settled(program)
    untouched(canary)
  },
}))

/** Ways to send more than anybody can want to read. */
const FLOODS: Readonly<Record<string, (to: ServerResponse) => void>> = {
  'of gigabytes': (to) => {
    to.writeHead(200, { 'content-type': 'application/json' })
    pump(to, Buffer.alloc(MIB, ' '), 8 * 1024)
  },
  'that unpacks to a gigabyte': (to) => void bomb(to, 'gzip', 'application/json', 1024),
  'of 200,000 nested arrays': (to) => json(to, `{"issuer":${'['.repeat(200_000)}`),
}

type Answer = (to: ServerResponse) => void

/** Where a document can be long; gives the address of a server that uses it. */
const LONG: readonly { name: string; at: string; start: (flood: Answer) => Promise<string> }[] = [
  {
    name: 'resource-metadata',
    at: 'the metadata of the server',
    async start(flood) {
      const server = await startProtected({
        judge: () => ({ status: 401, challenge: 'Bearer resource_metadata="/document"' }),
        also: ({ path }, response) => path !== '/mcp' && (flood(response), true),
      })
      return server.url
    },
  },
  {
    name: 'server-metadata',
    at: 'the metadata of an authorization server',
    async start(flood) {
      const world = await startWorld({
        script: { other: (_, response) => (flood(response), true) },
      })
      world.publish({ authorization_servers: [`${world.authority.issuer}/tenant`] })
      return world.mcp.url
    },
  },
  {
    name: 'registration',
    at: 'the answer to a registration',
    async start(flood) {
      const world = await startWorld({
        script: { register: (_, response) => (flood(response), true) },
      })
      return world.mcp.url
    },
  },
  {
    name: 'token',
    at: 'the answer to a code',
    async start(flood) {
      const world = await startWorld({
        script: { token: (_, response) => (flood(response), true) },
      })
      return world.mcp.url
    },
  },
]

const long: readonly Attack[] = LONG.flatMap(({ name, at, start }) =>
  Object.entries(FLOODS).map(([what, flood], index) => ({
    name: `long-${name}-${index + 1}`,
    attack: `As ${at} comes a document ${what}.`,
    bounds: PATIENT,
    expectation: 'It is given up within 25 s and 256 MiB; the request ends without a result.',
    async run(stage: Stage) {
      const program = stage.start(await start(flood))
      program.write(initialize(0))
      if (name === 'token') await visit(await program.link()).catch(() => {})
      await getsNothing(program)
    },
  })),
)

const slow: Attack = {
  name: 'metadata-without-an-end',
  attack: 'The metadata of a server comes one byte per moment and never ends.',
  expectation: 'It is given up within 30 s; a program whose host goes meanwhile ends within 5 s.',
  bounds: PATIENT,
  async run(stage) {
    let open = 0
    const server = await startProtected({
      judge: () => ({ status: 401, challenge: 'Bearer resource_metadata="/document"' }),
      also({ path }, response) {
        if (path === '/mcp') return false
        open++
        response.writeHead(200, { 'content-type': 'application/json' })
        drip(
          () => response.write(' '),
          (listener) => response.on('close', listener),
        )
        return true
      },
    })
    const [staying, leaving] = [stage.start(server.url), stage.start(server.url)]
    staying.write(initialize(0))
    leaving.write(initialize(0))
    await waitFor('both readers', () => open >= 2)
    leaving.end()
    await leaving.exit(5_000)
    await getsNothing(staying)
  },
}

/** How a program finds out where to sign in, with a hostile server. */
export const discovery: Group = {
  title: 'Finding the authorization server',
  attacks: [
    ...lies,
    ...inTheClear,
    ...inside,
    insideLater,
    ...redirected,
    ...challenges,
    ...long,
    slow,
  ],
}
