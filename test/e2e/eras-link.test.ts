import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { type Authority, startAuthority } from '../auth/authority.ts'
import { stubBrowser, visit } from '../auth/browser-stub.ts'
import { homeFolder } from '../auth/home.ts'
import { startProtected, type Verdict } from '../auth/protected.ts'
import type { Seen, TestServer } from '../support/http-server.ts'
import { type LinkServer, startLinkServer } from '../support/link-server.ts'
import { startLogin } from '../support/login.ts'
import { connectV1, connectV2, type Peer, type PeerStart } from '../support/peers.ts'
import { startTap } from '../support/tap.ts'
import { until } from '../support/until.ts'

/** A host of one era and a server of the other. */
interface Direction {
  readonly name: string
  readonly server: 'legacy' | 'modern'
  connect(url: string, start?: PeerStart): Promise<Peer>
}

const TO_MODERN: Direction = {
  name: 'a host with initialize at a server of 2026-07-28',
  server: 'modern',
  connect: connectV1,
}

const TO_LEGACY: Direction = {
  name: 'a host of 2026-07-28 at a server with sessions',
  server: 'legacy',
  connect(url, { args = [], ...start } = {}) {
    const translate = ['--protocol', 'translate', ...args]
    return connectV2(url, { mode: { pin: '2026-07-28' } }, { ...start, args: translate })
  },
}

const BOTH = [TO_MODERN, TO_LEGACY] as const

const named = (name: string) => ({ name, arguments: {} })

/** The text of a tool's result. */
async function called({ client }: Peer, name: string): Promise<string> {
  const { content } = await client.callTool(named(name))
  return (content as { text: string }[]).map(({ text }) => text).join('\n')
}

/** Calls `slow`, and waits until the host has heard that it runs. */
async function running({ client }: Peer): Promise<{ answer: Promise<string> }> {
  let answer = Promise.resolve('')
  await new Promise<unknown>((onprogress, reject) => {
    const call = client.callTool(named('slow'), { onprogress })
    answer = call.then(({ content }) => JSON.stringify(content), String)
    call.catch(reject)
  })
  return { answer }
}

const toolNames = async ({ client }: Peer): Promise<string[]> =>
  (await client.listTools()).tools.map(({ name }) => name)

interface Guarded {
  readonly authority: Authority
  readonly url: string
}

/** A server behind a sign-in; `needs` is the scope without which a request is refused. */
async function guard(
  { url: target }: LinkServer,
  needs: (seen: Seen) => string = () => 'read',
): Promise<Guarded> {
  const authority = await startAuthority()
  const judge = (token: string | undefined, seen: Seen): Verdict => {
    const scope = authority.scopeOf(token)
    if (scope === undefined) return { status: 401, challenge: 'Bearer scope="read"' }
    const needed = needs(seen)
    if (scope.split(' ').includes(needed)) return 'accept'
    return {
      status: 403,
      challenge: `Bearer error="insufficient_scope", scope="${needed}"`,
    }
  }
  const guarded: TestServer = await startProtected({
    metadata: (resource) => ({ resource, authorization_servers: [authority.issuer] }),
    judge,
    also(seen, response) {
      const token = seen.headers.authorization?.replace('Bearer ', '')
      if (!seen.path.startsWith('/mcp') || judge(token, seen) !== 'accept') return false
      const { method, headers, body } = seen
      const outgoing = request(target, { method, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers).flushHeaders()
        answer.pipe(response)
      })
      outgoing.on('error', () => response.destroy())
      response.on('close', () => outgoing.destroy())
      outgoing.end(body)
      return true
    },
  })
  return { authority, url: guarded.url }
}

/** Signs in as a person does; the folder then holds the tokens. */
async function signIn(url: string): Promise<string> {
  const home = homeFolder()
  const login = startLogin(url, { home })
  await visit(await login.link())
  expect(await login.exit()).toBe(0)
  return home
}

describe.each(BOTH)('$name', ({ server: era, connect }) => {
  test('a token that the server no longer takes is renewed, and the call made once', async () => {
    const server = await startLinkServer(era)
    const { authority, url } = await guard(server)
    const peer = await connect(url, { home: await signIn(url) })
    expect(await called(peer, 'count')).toBe('count 1')
    authority.expireAccess()
    expect(await called(peer, 'count')).toBe('count 2')
    expect(server.ran('count')).toBe(2)
    expect(authority.tokenCalls.map(({ form }) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
    ])
    expect(authority.reuses).toEqual([])
  })

  test('a call that needs more than was granted waits for it, and is made once', async () => {
    const server = await startLinkServer(era)
    const { authority, url } = await guard(server, ({ message }) =>
      message?.method === 'tools/call' ? 'write' : 'read',
    )
    const home = await signIn(url)
    const browser = stubBrowser()
    const peer = await connect(url, { home, env: browser.env as Record<string, string> })
    expect(await toolNames(peer)).toContain('count')
    const answer = called(peer, 'count')
    await visit(await browser.opened())
    expect(await answer).toBe('count 1')
    expect(authority.authorizations.map((asked) => asked.get('scope'))).toEqual([
      'read',
      'read write',
    ])
  })

  test('rules on tools cut the list and refuse the call', async () => {
    const server = await startLinkServer(era)
    const rules = ['--read-only', '--allow-tool', '*o*', '--ignore-tool', 'slow']
    const peer = await connect(server.url, { args: rules })
    expect(await toolNames(peer)).toEqual(['look'])
    expect(await called(peer, 'look')).toBe('look 1')
    for (const name of ['count', 'slow']) {
      await expect(called(peer, name)).rejects.toThrow(new RegExp(`${name}.* runs with --`))
      expect(server.ran(name)).toBe(0)
    }
  })

  test('a tool that is not what it was is refused when it is pinned', async () => {
    const server = await startLinkServer(era)
    const start = { home: homeFolder(), args: ['--pin-tools=strict'] }
    const first = await connect(server.url, start)
    expect(await toolNames(first)).toContain('count')
    expect(await called(first, 'count')).toBe('count 1')
    await first.close()
    server.describe('Counts, and reads your mail.')
    const second = await connect(server.url, start)
    expect((await toolNames(second)).sort()).toEqual(['look', 'page', 'slow'])
    await expect(called(second, 'count')).rejects.toThrow(/--pin-tools/)
    expect(server.ran('count')).toBe(1)
    expect(await called(second, 'look')).toBe('look 1')
  })

  test('a page to visit is shown by the host', async () => {
    const server = await startLinkServer(era)
    const peer = await connect(server.url)
    expect(await called(peer, 'page')).toBe('page 1 accept')
    expect(peer.asked).toEqual(['elicitation/create'])
  })

  test('a server that is silent for too long costs its call, not the link', async () => {
    const server = await startLinkServer(era)
    const peer = await connect(server.url, { args: ['--timeout', '2s'] })
    const { answer } = await running(peer)
    expect(await answer).toMatch(/--timeout/)
    expect(server.ran('slow')).toBe(1)
    expect(await called(peer, 'count')).toBe('count 1')
  })

  test('a server that was away is used again by the same host', async () => {
    const server = await startLinkServer(era)
    const peer = await connect(server.url)
    expect(await called(peer, 'count')).toBe('count 1')
    await server.stop()
    const answer = called(peer, 'count')
    await server.start()
    expect(await answer).toBe('count 2')
    expect(await toolNames(peer)).toContain('count')
    expect(server.ran('count')).toBe(2)
  })

  test('a call that was running when the server went is not made again', async () => {
    const server = await startLinkServer(era)
    const peer = await connect(server.url)
    const { answer } = await running(peer)
    await server.stop()
    await server.start()
    expect(await answer).toMatch(/may have/)
    expect(await called(peer, 'count')).toBe('count 1')
    expect(server.ran('slow')).toBe(1)
  })
})

describe('a host of 2026-07-28 at a server that forgets and breaks off', () => {
  test('a session that the server has forgotten is replaced unseen', async () => {
    const server = await startLinkServer('legacy')
    const tap = await startTap(server.url)
    const peer = await TO_LEGACY.connect(tap.url)
    await toolNames(peer)
    const sessions = (): number => tap.requests.filter((name) => name === 'initialize').length
    const before = sessions()
    server.forget()
    // The call is refused with 404: it has not run, so it is made in the new session.
    const [names, answer] = await Promise.all([toolNames(peer), called(peer, 'count')])
    expect(names).toContain('count')
    expect(answer).toBe('count 1')
    expect(server.ran('count')).toBe(1)
    expect(sessions()).toBe(before + 1)
  })

  test('a stream that breaks is taken up where it broke, and the call made once', async () => {
    const server = await startLinkServer('legacy')
    const tap = await startTap(server.url)
    const peer = await TO_LEGACY.connect(tap.url)
    const { answer } = await running(peer)
    tap.cut()
    const resumed = (): boolean => tap.headers.some((sent) => 'last-event-id' in sent)
    await until('the resumption', resumed)
    server.release()
    expect(await answer).toContain('slow 1')
    expect(server.ran('slow')).toBe(1)
  })
})

describe('a host with initialize at a server that breaks off', () => {
  test('a stream that breaks costs a call its result, which says so, and a list nothing', async () => {
    const server = await startLinkServer('modern')
    const tap = await startTap(server.url)
    const peer = await TO_MODERN.connect(tap.url)
    const { answer } = await running(peer)
    tap.cut()
    expect(await answer).toMatch(/may have/)
    expect(server.ran('slow')).toBe(1)
    tap.intercept('tools/list', (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      setImmediate(() => response.socket?.resetAndDestroy())
    })
    expect(await toolNames(peer)).toContain('count')
    expect(tap.requests.filter((name) => name === 'tools/list')).toHaveLength(2)
  })
})
