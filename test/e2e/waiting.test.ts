import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAuthority } from '../auth/authority.ts'
import { type BrowserStub, stubBrowser, visit } from '../auth/browser-stub.ts'
import { homeFolder, stored, storedFile } from '../auth/home.ts'
import { finish, type Host, printedLink, request, startHost } from '../auth/host.ts'
import { startProtected } from '../auth/protected.ts'
import type { BridgeOptions, Message } from '../support/bridge.ts'
import { event, stream } from '../support/mcp-server.ts'
import { atThisPace } from '../support/pace.ts'
import { until } from '../support/until.ts'
import { completeSignIn } from '../worker/dev/browser.mjs'
import { startWorker } from '../worker/dev/serve.mjs'

let worker: Awaited<ReturnType<typeof startWorker>>
beforeAll(async () => {
  worker = await startWorker({ flavour: 'oauth' })
})
afterAll(() => worker.stop())

/** What a host that can show links says of itself. */
const SHOWS_LINKS = { elicitation: { url: {} } }

/** `initialize` of a host with these capabilities; the name is what its cached answer goes by. */
function hello(capabilities: object = {}): object {
  const clientInfo = { name: 'waiting-host', version: '1.0.0' }
  return request(0, 'initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo })
}

/** A host that has said hello. */
function greet(options: BridgeOptions & { browser?: BrowserStub } = {}, capabilities = {}): Host {
  const host = startHost(`${worker.url}/mcp`, options)
  host.write(hello(capabilities))
  return host
}

/** Starts a host and waits until the server has been asked: how fast a busy machine starts Node is no promise. */
async function greetServer(...how: Parameters<typeof greet>): Promise<Host> {
  const before = asked('/mcp')
  const host = greet(...how)
  await until('the first request', () => asked('/mcp') > before)
  return host
}

/** The answer, and how long it took. */
async function timed(host: Host, id: unknown): Promise<{ answer: Message; ms: number }> {
  const begun = Date.now()
  return { answer: await host.answer(id, 30_000), ms: Date.now() - begun }
}

function call(id: unknown, name: string, args: object = {}): object {
  return request(id, 'tools/call', { name, arguments: args })
}

/** What a tool has said. */
function said({ result }: Message): string {
  const content = (result?.['content'] ?? []) as { text: string }[]
  return content.map(({ text }) => text).join('\n')
}

/** Tools of a list. */
function toolNames({ result }: Message): string[] {
  const tools = (result?.['tools'] ?? []) as { name: string }[]
  return tools.map(({ name }) => name)
}

const changes = (host: Host): (string | undefined)[] =>
  host
    .messages()
    .map(({ method }) => method)
    .filter((method) => method?.endsWith('/list_changed'))

/** How often the Worker was asked for something that this fits. */
function asked(path: string, status?: number): number {
  return worker.logs.filter(
    (line) =>
      line.event === 'request' &&
      line['path'] === path &&
      (status === undefined || line['status'] === status),
  ).length
}

async function hook(name: string): Promise<void> {
  const response = await fetch(`${worker.url}/__test/${name}`, { method: 'POST' })
  expect(response.status).toBe(200)
}

/** The port that the browser of a link comes back to. */
function portOf(link: string): number {
  return Number(new URL(new URL(link).searchParams.get('redirect_uri')!).port)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.close(() => resolve(true))
    })
  })
}

describe('a person signing in never costs the connection', () => {
  test('the host is answered meanwhile, gets the link, and then the server itself', async () => {
    const host = await greetServer({}, SHOWS_LINKS)
    const { answer, ms } = await timed(host, 0)
    expect(ms).toBeLessThan(await atThisPace(6_000))
    const link = await printedLink(host)
    expect(answer.result).toMatchObject({ protocolVersion: '2025-11-25' })
    expect(answer.result?.['instructions']).toContain(link)

    host.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
    host.write(request(1, 'tools/list'))
    host.write(request(2, 'ping'))
    expect(await host.answer(2)).toHaveProperty('result')
    // Asked for while the list is held: whoever knows the tool need not wait.
    host.write(call(3, 'sign_in'))
    const signIn = await host.answer(3)
    expect(said(signIn)).toContain(link)
    expect(signIn.result).toMatchObject({ isError: false })
    const question = await host.message(({ method }) => method === 'elicitation/create')
    expect(question.params).toMatchObject({ mode: 'url', url: link })
    host.write({ jsonrpc: '2.0', id: question.id, result: { action: 'accept' } })

    const list = await timed(host, 1)
    expect(list.ms).toBeLessThan(await atThisPace(20_000))
    expect(list.ms).toBeGreaterThan(10_000)
    expect(toolNames(list.answer)).toEqual(['sign_in'])
    expect(host.browser.calls()).toEqual([[link]])
    // Held until the server is there, and then sent without being asked for again.
    host.write(call(4, 'calculator', { operation: 'multiply', a: 6, b: 7 }))
    expect(asked('/mcp', 200)).toBe(0)

    const page = await completeSignIn(link)
    expect(page.status).toBe(200)
    const product = await host.answer(4)
    expect(product.result).toMatchObject({ structuredContent: { result: 42 } })
    await until('the notifications', () => changes(host).length >= 2)
    expect(changes(host)).toContain('notifications/tools/list_changed')
    host.write(request(5, 'tools/list'))
    const tools = toolNames(await host.answer(5))
    expect(tools).toContain('calculator')
    expect(tools).not.toContain('sign_in')
    // The server's own answer to `initialize` is not a second one for the host.
    expect(host.messages().filter(({ id, method }) => id === 0 && method === undefined)).toEqual([
      answer,
    ])
    await finish(host)
  })

  test('the second time the host is answered as the server itself has answered it', async () => {
    const home = homeFolder()
    const first = greet({ home })
    await completeSignIn(await printedLink(first))
    const { answer: real } = await timed(first, 0)
    expect(real.result?.['serverInfo']).not.toMatchObject({ version: 'sign-in pending' })
    await finish(first)
    const record = stored(home)
    writeFileSync(storedFile(home), JSON.stringify({ ...record, issuers: {}, current: undefined }))

    const second = await greetServer({ home })
    const { answer, ms } = await timed(second, 0)
    expect(ms).toBeGreaterThan(3_000)
    expect(ms).toBeLessThan(await atThisPace(6_000))
    expect(answer.result).toEqual(real.result)
    second.write(request(1, 'tools/list'))
    await completeSignIn(await printedLink(second))
    expect(toolNames(await second.answer(1))).toContain('calculator')
    await until('the notification', () => changes(second).length > 0)
    await finish(second)
  })

  test('a host that asks again in the meantime is answered again', async () => {
    const host = greet()
    const { answer } = await timed(host, 0)
    host.write({ ...hello(), id: 'again' })
    expect((await host.answer('again')).result).toEqual(answer.result)
    await completeSignIn(await printedLink(host))
    host.write(request(1, 'tools/list'))
    expect(toolNames(await host.answer(1))).toContain('calculator')
    await finish(host)
  })

  test('denied: the tool says so and gives another link, which works', async () => {
    const host = greet()
    await host.answer(0)
    const link = await printedLink(host)
    host.write(request(1, 'tools/list'))
    const page = await completeSignIn(link, { consent: 'deny' })
    expect(page.body).toContain('failed')
    // What was held is answered now; there is nothing left to wait for.
    expect(toolNames(await host.answer(1, 5_000))).toEqual(['sign_in'])
    host.write(call(2, 'calculator', { operation: 'multiply', a: 6, b: 7 }))
    expect((await host.answer(2)).error).toMatchObject({ data: { phase: 'authorization' } })

    host.write(call(3, 'sign_in'))
    const again = await host.answer(3)
    expect(again.result).toMatchObject({ isError: true })
    expect(said(again)).toMatch(/denied/)
    const second = /http:\S+/.exec(said(again))?.[0] ?? ''
    expect(new URL(second).searchParams.get('state')).not.toBe(
      new URL(link).searchParams.get('state'),
    )
    await completeSignIn(second)
    await until('the notification', () => changes(host).length > 0)
    host.write(request(4, 'tools/list'))
    expect(toolNames(await host.answer(4))).toContain('calculator')
    await finish(host)
  })

  test.each([
    ['before the host has been answered', false],
    ['after that', true],
  ])('a host that leaves %s takes everything with it', async (_, answered) => {
    const host = greet()
    const port = portOf(await printedLink(host))
    if (answered) await host.answer(0)
    host.write(request(1, 'tools/list'))
    expect(await isFree(port)).toBe(false)
    const begun = Date.now()
    host.end()
    expect(await host.exit()).toEqual({ code: 0, signal: null })
    expect(Date.now() - begun).toBeLessThan(await atThisPace(1_500))
    expect(await isFree(port)).toBe(true)
    // Nobody is left without an answer.
    expect((await host.answer(1)).error ?? (await host.answer(1)).result).toBeDefined()
  })

  test('kill -9 after the host has been answered: the next start goes on with the same tab', async () => {
    const home = homeFolder()
    const browser = stubBrowser()
    const first = greet({ home, browser })
    await first.answer(0)
    const link = await browser.opened()
    first.child.kill('SIGKILL')
    await first.exit()
    const second = greet({ home, browser })
    expect((await second.answer(0)).result?.['instructions']).toContain(link)
    await completeSignIn(link)
    second.write(request(1, 'tools/list'))
    expect(toolNames(await second.answer(1))).toContain('calculator')
    expect(browser.calls()).toEqual([[link]])
    await finish(second)
  })

  test('in the middle of the work: a revoked token is renewed once for twenty calls', async () => {
    const host = greet()
    await completeSignIn(await printedLink(host))
    await host.answer(0)
    const before = asked('/oauth/token')
    await hook('revoke-access')
    const ids = Array.from({ length: 20 }, (_, i) => `c${i}`)
    ids.forEach((id, i) => host.write(call(id, 'calculator', { operation: 'add', a: i, b: 1 })))
    for (const [i, id] of ids.entries()) {
      expect((await host.answer(id)).result).toMatchObject({ structuredContent: { result: i + 1 } })
    }
    expect(asked('/oauth/token') - before).toBe(1)
    expect(host.browser.calls()).toHaveLength(1)
    await finish(host)
  })

  test('two processes wait for one person, and both have the server afterwards', async () => {
    const home = homeFolder()
    const browser = stubBrowser()
    const hosts = [greet({ home, browser }), greet({ home, browser })]
    const link = await browser.opened()
    for (const host of hosts) {
      expect((await host.answer(0)).result?.['instructions']).toContain(link)
      host.write(request(1, 'tools/list'))
    }
    await completeSignIn(link)
    for (const host of hosts) expect(toolNames(await host.answer(1))).toContain('calculator')
    expect(browser.calls()).toEqual([[link]])
    for (const host of hosts) await finish(host)
  })

  test('in the middle of the work: calls get the link in time, and go on after the sign-in', async () => {
    const host = greet()
    await completeSignIn(await printedLink(host))
    await host.answer(0)
    await hook('revoke-access')
    await hook('revoke-refresh')
    const six = { operation: 'multiply', a: 6, b: 7 }
    const begun = Date.now()
    for (const id of [1, 2]) host.write(call(id, 'calculator', six))
    const link = await printedLink(host, 1)
    for (const id of [1, 2]) {
      const { error } = await host.answer(id, 30_000)
      expect(error).toMatchObject({ data: { phase: 'authorization', httpStatus: 401 } })
      expect(error?.data?.['hint']).toContain(link)
    }
    expect(Date.now() - begun).toBeLessThan(await atThisPace(20_000))
    host.write(call(3, 'calculator', six))
    await completeSignIn(link)
    expect((await host.answer(3)).result).toMatchObject({ structuredContent: { result: 42 } })
    expect(await printedLink(host, 1)).toBe(link)
    await finish(host)
  })

  test('in the middle of the work: the stream for notifications joins the one renewal', async () => {
    const authority = await startAuthority()
    const open = new Set<ServerResponse>()
    const refused: string[] = []
    const mcp = await startProtected({
      metadata: (resource) => ({ resource, authorization_servers: [authority.issuer] }),
      judge(token, { method }) {
        if (authority.scopeOf(token) !== undefined) return 'accept'
        refused.push(method)
        return { status: 401, challenge: 'Bearer' }
      },
      also({ method, path, headers }, response) {
        const token = headers.authorization?.replace('Bearer ', '')
        if (method !== 'GET' || path !== '/mcp') return false
        if (authority.scopeOf(token) === undefined) return false
        open.add(response)
        stream(response)
        return true
      },
    })
    const host = startHost(mcp.url)
    host.write(hello())
    await visit(await printedLink(host))
    await host.answer(0)
    host.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
    await until('the stream', () => open.size === 1)
    authority.expireAccess()
    for (const response of open) response.end()
    for (const id of [1, 2, 3]) host.write(request(id))
    for (const id of [1, 2, 3]) expect(await host.answer(id)).toHaveProperty('result')
    await until('the stream again', () => open.size === 2)
    // Alone it renews silently as well.
    authority.expireAccess()
    for (const response of open) response.end()
    await until('the stream once more', () => open.size === 3)
    const [notification] = [...open].slice(-1)
    notification?.write(event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }))
    await until('the notification', () => changes(host).length > 0)
    expect(refused).toContain('GET')
    const grants = authority.tokenCalls.map(({ form }) => form.get('grant_type'))
    expect(grants).toEqual(['authorization_code', 'refresh_token', 'refresh_token'])
    expect(authority.reuses).toEqual([])
    expect(host.browser.calls()).toHaveLength(1)

    // Without a silent way it opens nothing: nobody waits for it.
    authority.revokeAll()
    for (const response of open) response.end()
    const before = refused.length
    await until('the refusal of the stream', () => refused.length > before)
    await until('the end of the silent ways', () => authority.tokenCalls.length === 4)
    expect(host.stderr().match(/To sign in/g)).toHaveLength(1)
    host.write(request(4, 'ping'))
    await visit(await printedLink(host, 1))
    expect(await host.answer(4)).toHaveProperty('result')
    await until('the stream after all', () => open.size === 4)
    await finish(host)
  })
})
