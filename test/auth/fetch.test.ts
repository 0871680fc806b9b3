import { describe, expect, test } from 'vitest'
import { createAuthHttp, type FetchPolicy } from '../../src/auth/fetch.ts'
import { startServer } from '../support/http-server.ts'
import { plainNetwork } from '../support/network.ts'

const address =
  (...addresses: string[]): FetchPolicy['lookup'] =>
  async () =>
    addresses.map((ip) => ({ address: ip, family: ip.includes(':') ? 6 : 4 }))

function client(policy: Partial<FetchPolicy>): ReturnType<typeof createAuthHttp> {
  return createAuthHttp({
    server: new URL('https://public.example/mcp'),
    allowHttp: false,
    allowPrivate: false,
    lookup: address('198.51.100.1'),
    connector: plainNetwork().connector,
    signal: new AbortController().signal,
    ...policy,
  })
}

const PUBLIC = new URL('https://public.example/mcp')
const LOCAL = new URL('http://127.0.0.1:9/mcp')

describe('A-100: https, and http on loopback only', () => {
  test.each([
    ['http://10.0.0.1/x'],
    ['http://as.example/x'],
    ['http://localhost.evil.example/'],
    ['file:///etc/passwd'],
    ['javascript:alert(1)'],
    ['data:text/html,x'],
  ])('%s is refused', async (url) => {
    await expect(client({ server: LOCAL }).check(new URL(url))).rejects.toMatchObject({
      kind: 'refused',
    })
  })

  test.each([
    ['https://as.example/'],
    ['http://127.0.0.1:1/'],
    ['http://localhost:1/'],
    ['http://[::1]/'],
  ])('%s is accepted from a server on this machine', async (url) => {
    await expect(client({ server: LOCAL }).check(new URL(url))).resolves.toBeUndefined()
  })

  test('an address with a user name in it is refused, whatever its host is', async () => {
    const { check } = client({ server: LOCAL })
    for (const url of ['https://bank.example@as.example/', 'https://:x@as.example/']) {
      await expect(check(new URL(url))).rejects.toThrow(/a user name or a password/)
    }
  })

  test('A-100: --allow-http is the way out', async () => {
    const open = client({ server: LOCAL, allowHttp: true })
    await expect(open.check(new URL('http://as.example/'))).resolves.toBeUndefined()
    await expect(open.check(new URL('file:///x'))).rejects.toThrow(/not https/)
  })
})

describe('A-101: a public server may not name an address of a private network', () => {
  test.each([
    ['https://169.254.169.254/latest'],
    ['https://127.0.0.1/'],
    ['https://localhost/'],
    ['https://[fd00::1]/'],
    ['https://2130706433/'],
  ])('%s', async (url) => {
    await expect(client({ server: PUBLIC }).check(new URL(url))).rejects.toThrow(/private network/)
  })

  test('a name is judged by what it resolves to when the connection is made', async () => {
    const canary = await startServer((_, response) => void response.end('{}'))
    const { port } = new URL(canary.url)
    const lookup: FetchPolicy['lookup'] = async (name) =>
      address(name === 'public.example' ? '198.51.100.1' : '127.0.0.1')(name)
    const url = new URL(`http://rebinding.example:${port}/`)
    const refusing = client({ server: PUBLIC, lookup, allowHttp: true })
    await expect(refusing.fetch(url)).rejects.toThrow(/private network/)
    expect(canary.sockets.size + canary.seen.length).toBe(0)
    const allowing = client({ server: PUBLIC, lookup, allowHttp: true, allowPrivate: true })
    expect((await allowing.fetch(url)).status).toBe(200)
  })

  test('a server on this machine may name what is near it', async () => {
    const server = new URL('http://localhost:9/mcp')
    const unasked = (): Promise<never> => Promise.reject(new Error('not a name to be looked up'))
    const { check } = client({ server, lookup: unasked })
    await expect(check(new URL('https://10.0.0.6/'))).resolves.toBeUndefined()
  })

  test('a server on a private network may name its neighbours', async () => {
    const lookup = address('10.0.0.5')
    const server = new URL('https://intranet.example/mcp')
    await expect(
      client({ server, lookup }).check(new URL('https://10.0.0.6/')),
    ).resolves.toBeUndefined()
  })

  test('a server whose name cannot be resolved is taken for a public one', async () => {
    const lookup = (): Promise<never> => Promise.reject(new Error('no resolver'))
    await expect(client({ lookup }).check(new URL('https://10.0.0.6/'))).rejects.toThrow(/private/)
  })
})

describe('A-102: redirects, sizes and times', () => {
  test('A-102: a redirect inside the origin is followed, in a loop or elsewhere it is not', async () => {
    const other = await startServer((_, response) => void response.end('{}'))
    const server = await startServer((request, response) => {
      const to = { '/a': '/b', '/loop': '/loop', '/away': other.url, '/none': '' }[request.path]
      if (to === undefined) response.end('found')
      else response.writeHead(302, { location: to }).end()
    })
    const { fetch } = client({ server: LOCAL })
    expect(await (await fetch(new URL('/a', server.url))).text()).toBe('found')
    for (const path of ['/loop', '/away']) {
      await expect(fetch(new URL(path, server.url))).rejects.toThrow(
        /redirects to .*; not followed/,
      )
    }
    expect(other.seen).toHaveLength(0)
  })

  test.each([
    ['without an address', {}],
    ['to something that is none', { location: 'https://[' }],
  ])('A-102: a redirect %s leads nowhere', async (_, headers) => {
    const server = await startServer((_request, response) => {
      response.writeHead(302, headers).end()
    })
    await expect(client({ server: LOCAL }).fetch(new URL(server.url))).rejects.toThrow(
      /redirects to nowhere; not followed/,
    )
    expect(server.seen).toHaveLength(1)
  })

  test('an answer that has no body is one', async () => {
    const server = await startServer((_, response) => void response.writeHead(204).end())
    const response = await client({ server: LOCAL }).fetch(new URL(server.url))
    expect([response.status, await response.text()]).toEqual([204, ''])
  })

  test('A-102: a POST is never redirected, not even inside the origin', async () => {
    const server = await startServer((request, response) => {
      if (request.path === '/token') response.writeHead(307, { location: '/other' }).end()
      else response.end('{}')
    })
    const { fetch } = client({ server: LOCAL })
    const body = new URLSearchParams({ code: 'secret' })
    await expect(fetch(new URL('/token', server.url), { method: 'POST', body })).rejects.toThrow(
      /not followed/,
    )
    expect(server.seen).toHaveLength(1)
  })

  test('A-102: a body without end is given up at its limit', async () => {
    let sent = 0
    const server = await startServer((_, response) => {
      const more = (): void => {
        if (response.destroyed) return
        sent += 65_536
        response.write(Buffer.alloc(65_536), () => setImmediate(more))
      }
      more()
    })
    await expect(client({ server: LOCAL }).fetch(new URL(server.url))).rejects.toThrow(/1 MiB/)
    expect(sent).toBeLessThan(16 * 1024 * 1024)
  })

  test('nothing listens: the reason is said and the failure is one that passes', async () => {
    const server = await startServer(() => {})
    await server.close()
    const failure = client({ server: LOCAL }).fetch(new URL(server.url))
    await expect(failure).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('nothing listens there') as string,
    })
  })

  test('the end of the bridge ends a request', async () => {
    const server = await startServer(() => {})
    const ending = new AbortController()
    const failure = client({ server: LOCAL, signal: ending.signal }).fetch(new URL(server.url))
    ending.abort()
    await expect(failure).rejects.toMatchObject({ kind: 'unreachable' })
  })
})
