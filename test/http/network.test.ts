import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, Socket } from 'node:net'
import tls from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { networkFailure } from '../../src/errors.ts'
import { readBody } from '../../src/http/body.ts'
import { createHttpClient, type HttpSend } from '../../src/http/client.ts'
import type { Resolve } from '../../src/http/names.ts'
import { createNetwork } from '../../src/http/network.ts'
import { type NetworkOptions, readNetworkOptions } from '../../src/http/options.ts'
import { FAMILY_ATTEMPT_MS, PROXY_LOOKUP_MS, TCP_KEEP_ALIVE_MS } from '../../src/limits.ts'
import { makeAuthority, makeCertificate } from '../support/certificate.ts'
import { json, startServer, type TestServer } from '../support/http-server.ts'
import { type KeptLog, keptLog } from '../support/log.ts'
import { networkOptions } from '../support/network.ts'
import { type ProxyOptions, startProxy, type TestProxy } from '../support/proxy.ts'
import { until } from '../support/until.ts'

const ca = makeAuthority()
const identity = ca.issue('mcp.example', '127.0.0.1')
const trusting = {
  ca: [ca.cert],
  secureContext: tls.createSecureContext({ ca: ca.cert }),
}

interface Client {
  readonly send: HttpSend
  readonly log: KeptLog
  /** Asks a URL; the body of the answer. */
  get(url: string): Promise<string>
}

/** A client that trusts the authority of these tests. */
function clientOf(wanted: Partial<NetworkOptions>, resolve?: Resolve, trusted = true): Client {
  const log = keptLog()
  const network = createNetwork(networkOptions(wanted), log, trusted ? trusting : undefined)
  const needs = resolve === undefined ? {} : { resolve }
  const connector = (): ReturnType<typeof network.connector> => network.connector(needs)
  const { send, destroy } = createHttpClient({ ...network, connector })
  onTestFinished(destroy)
  return {
    send,
    log,
    async get(url) {
      const response = await send({ method: 'GET', url: new URL(url), headers: {} })
      return String(await readBody(response, 1000))
    },
  }
}

const echo = (options: Parameters<typeof startServer>[1] = {}): Promise<TestServer> =>
  startServer(({ headers }, response) => json(response, `for ${headers.host}`), options)

/** The proxy in front of a server that only it can find, and the options that name it. */
async function behind(
  server: TestServer,
  options: ProxyOptions & { user?: string } = {},
): Promise<TestProxy & { via: Partial<NetworkOptions> }> {
  const { host } = new URL(server.origin)
  const routes = { 'mcp.example:443': host, 'mcp.example:80': host }
  const proxy = await startProxy({ routes, ...options })
  const user = options.user === undefined ? '' : `${options.user}@`
  const { proxies } = readNetworkOptions({ proxy: proxy.url.replace('//', `//${user}`) }, {})
  return { ...proxy, via: { proxies } }
}

describe('through a proxy', () => {
  test.each<[string, ProxyOptions & { user?: string }]>([
    ['that asks for nothing', {}],
    [
      'with user name and password',
      { credentials: 'us er:p@ss:word', user: 'us%20er:p%40ss%3Aword' },
    ],
    ['that speaks TLS itself', { tls: ca.issue('127.0.0.1') }],
  ])('%s, to https and http', async (_, options) => {
    const secure = await echo({ tls: identity })
    const one = await behind(secure, options)
    const client = clientOf(one.via)
    expect(await client.get('https://mcp.example/')).toBe('for mcp.example')
    expect(one.asked).toEqual(['mcp.example:443'])
    const plain = await echo()
    const other = await behind(plain, options)
    expect(await clientOf(other.via).get('http://mcp.example/')).toBe('for mcp.example')
    expect(other.asked).toEqual(['mcp.example:80'])
    expect(client.log.changes).toMatchObject([
      { part: 'network', what: 'connected', origin: 'https://mcp.example', proxy: one.host },
    ])
    expect(JSON.stringify(client.log.changes)).not.toMatch(/p%40ss|p@ss/)
  })

  test('a tunnel serves many requests, and the certificate is that of the server', async () => {
    const proxy = await behind(await echo({ tls: identity }))
    const { get } = clientOf(proxy.via)
    for (let i = 0; i < 20; i++) await get('https://mcp.example/')
    // A request right behind the end of another may need a second connection.
    expect(proxy.asked.length).toBeLessThanOrEqual(2)
    const stranger = await behind(await echo({ tls: ca.issue('other.example') }))
    await expect(clientOf(stranger.via).get('https://mcp.example/')).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })

  test('a client certificate is for the server, not for the proxy', async () => {
    const options = { requestCert: true, rejectUnauthorized: false, ca: ca.cert }
    const server = await echo({ tls: { ...identity, ...options } })
    const shown: unknown[] = []
    server.onSecure((socket) => shown.push(socket.getPeerCertificate().subject.CN))
    const proxy = await behind(server, { tls: { ...ca.issue('127.0.0.1'), ...options } })
    const context = { ca: ca.cert, ...ca.issue('client.example') }
    const certificates = { ca: [ca.cert], secureContext: tls.createSecureContext(context) }
    const client = createHttpClient(
      createNetwork(networkOptions(proxy.via), keptLog(), certificates),
    )
    onTestFinished(() => client.destroy())
    const url = new URL('https://mcp.example/')
    const response = await client.send({ method: 'GET', url, headers: {} })
    response.discard()
    expect(shown).toEqual(['client.example'])
    expect(proxy.shown).toEqual([undefined])
  })

  test('this machine is reached directly', async () => {
    const server = await echo({ tls: identity })
    const proxy = await behind(server)
    const client = clientOf(proxy.via)
    expect(await client.get(server.origin)).toMatch(/^for 127/)
    expect(proxy.asked).toEqual([])
    expect(client.log.changes).toMatchObject([
      { proxy: undefined, http: 'HTTP/1.1', family: 'IPv4' },
    ])
  })

  test.each<[string, ProxyOptions & { user?: string }, Partial<NetworkOptions>, RegExp, RegExp]>([
    [
      '407',
      { credentials: 'a:b' },
      {},
      /wants a user name and a password \(HOST: HTTP 407\)/,
      /BRIDGE_PROXY/,
    ],
    [
      '407 again',
      { credentials: 'a:b', user: 'a:sentinel' },
      {},
      /does not accept this user name and password \(HOST: HTTP 407\)/,
      /percent-encoded/,
    ],
    ['403', { refuse: 403 }, {}, /refused to connect us \(HOST: HTTP 403\)/, /NO_PROXY/],
    ['502', { refuse: 502 }, {}, /refused to connect us \(HOST: HTTP 502\)/, /NO_PROXY/],
    [
      'silence',
      { refuse: 'mute' },
      { connectTimeoutMs: 200 },
      /did not answer in time \(HOST\)/,
      /--proxy/,
    ],
    [
      'a certificate nobody knows',
      { tls: makeCertificate() },
      {},
      /cannot be used \(HOST: its certificate is self-signed\)/,
      /--proxy/,
    ],
  ])('%s is said, with what helps', async (_, options, wanted, why, hint) => {
    const proxy = await behind(await echo(), options)
    const { get } = clientOf({ ...proxy.via, ...wanted })
    const error = await get('https://mcp.example/').then(String, (reason: unknown) => reason)
    const failure = networkFailure(error, 'https://mcp.example', 'request')
    const text = failure.message.replaceAll(proxy.host, 'HOST')
    expect(text).toMatch(/^No connection to https:\/\/mcp\.example: the proxy /)
    expect(text).toMatch(why)
    expect(failure.details).toMatchObject({ phase: 'connect', hint: expect.stringMatching(hint) })
    expect(`${failure.message} ${failure.details.hint}`).not.toContain('sentinel')
  })

  test.each<[string, RegExp]>([
    ['http://127.0.0.1:1', /the proxy cannot be used \(127\.0\.0\.1:1: nothing listens there\)/],
    ['socks5://127.0.0.1:1', /the proxy does not speak HTTP \(127\.0\.0\.1:1\)/],
  ])('%s is said, too', async (ALL_PROXY, why) => {
    const { proxies } = readNetworkOptions({}, { ALL_PROXY })
    const error = await clientOf({ proxies })
      .get('https://mcp.example/')
      .catch((reason: unknown) => reason)
    expect(networkFailure(error, 'https://mcp.example', 'request').message).toMatch(why)
  })
})

describe('a guard of names', () => {
  const refuse: Resolve = () => Promise.reject(new Error('refused'))
  const unknown: Resolve = () =>
    Promise.reject(Object.assign(new Error('?'), { syscall: 'getaddrinfo', code: 'ENOTFOUND' }))

  test('has its say before a tunnel is asked for', async () => {
    const proxy = await behind(await echo({ tls: identity }))
    await expect(clientOf(proxy.via, refuse).get('https://mcp.example/')).rejects.toThrow('refused')
    expect(proxy.asked).toEqual([])
  })

  test.each([
    ['a name that only the proxy knows', unknown],
    ['a resolver that does not answer', (() => new Promise(() => {})) as Resolve],
  ])('%s is left to the proxy', async (_, resolve) => {
    const proxy = await behind(await echo({ tls: identity }))
    const started = Date.now()
    expect(await clientOf(proxy.via, resolve).get('https://mcp.example/')).toMatch(/^for/)
    expect(Date.now() - started).toBeLessThan(PROXY_LOOKUP_MS + 2000)
  })
})

describe('TLS', () => {
  test('a server that never answers the handshake is given up', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { get } = clientOf({ connectTimeoutMs: 300 })
    const error = await get(`https://127.0.0.1:${port}/`).catch((reason: unknown) => reason)
    const { message, details } = networkFailure(error, 'https://mcp.example', 'request')
    expect(message).toBe('No connection to https://mcp.example: the connection timed out.')
    expect(details.hint).toContain('--connect-timeout')
  })

  test('a session is used again, whatever was collected between', async () => {
    const reused: boolean[] = []
    const server = await startServer(
      (_request, response) => {
        response.setHeader('connection', 'close')
        json(response, {})
      },
      { tls: identity },
    )
    const { get } = clientOf({})
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    server.onSecure((socket) => reused.push(socket.isSessionReused()))
    await get(server.origin)
    await until('a collection', () => {
      collect()
      return server.sockets.size === 0
    })
    collect()
    await get(server.origin)
    expect(reused).toEqual([false, true])
  })

  test('an authority that is not known is said, with what helps', async () => {
    const server = await echo({ tls: identity })
    const error = await clientOf({}, undefined, false)
      .get(server.origin)
      .catch((reason: unknown) => reason)
    const { message, details } = networkFailure(error, server.origin, 'request')
    expect(message).toMatch(/^No connection to .*: its certificate could not be verified\.$/)
    expect(details).toMatchObject({ phase: 'connect', hint: expect.stringContaining('--ca') })
  })
})

describe('what is said about a failure', () => {
  test('a server without TLS', async () => {
    const { origin } = await echo()
    const error = await clientOf({})
      .get(origin.replace('http:', 'https:'))
      .catch((reason: unknown) => reason)
    const { message, details } = networkFailure(error, 'https://mcp.example', 'request')
    expect(message).toMatch(/^No connection to .*: it does not speak TLS on this port\.$/)
    expect(details).toMatchObject({ phase: 'connect', hint: expect.stringContaining('scheme') })
  })

  test('a name that nobody knows', async () => {
    const none: Resolve = () => Promise.resolve([])
    const error = await clientOf({}, none)
      .get('https://mcp.example/')
      .catch((reason: unknown) => reason)
    const { message, details } = networkFailure(error, 'https://mcp.example', 'request')
    expect(message).toMatch(/: the host name does not exist\.$/)
    expect(details).toMatchObject({ phase: 'connect', hint: expect.stringContaining('--proxy') })
  })

  test.each([
    ['the connection was reset', 'ECONNRESET', 'request', 'Lost the connection to o'],
    ['its certificate has expired', 'CERT_HAS_EXPIRED', 'connect', 'No connection to o'],
    ['ESTRANGE', 'ESTRANGE', 'request', 'Lost the connection to o'],
  ])('%s: %s', (why, code, phase, what) => {
    const inner = Object.assign(new Error('inner'), { code })
    for (const error of [inner, new TypeError('fetch failed', { cause: inner })]) {
      const failure = networkFailure(error, 'o', 'request')
      expect(failure.message).toBe(`${what}: ${why}.`)
      expect(failure.details.phase).toBe(phase)
    }
  })
})

/** A listening socket that nobody serves and whose queue is full: packets to it are lost. */
async function blackHole(port: number): Promise<void> {
  const code = `require('net').createServer().listen({host:'::1',port:${port},backlog:1},()=>console.log())`
  const child: ChildProcess = spawn(process.execPath, ['-e', code])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
  child.kill('SIGSTOP')
  for (;;) {
    const socket: Socket = connect({ host: '::1', port })
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
    const full = await Promise.race([
      once(socket, 'connect').then(() => false),
      new Promise<boolean>((resolve) => {
        setTimeout(resolve, 150, true)
      }),
    ])
    if (full) return
  }
}

const both: Resolve = async () => [
  { address: '::1', family: 6 },
  { address: '127.0.0.1', family: 4 },
]

describe('two versions of IP', () => {
  test('an IPv6 address that swallows everything costs half a second', async () => {
    const server = await echo()
    const { port } = new URL(server.origin)
    await blackHole(Number(port))
    const started = Date.now()
    expect(await clientOf({}, both).get(`http://mcp.example:${port}/`)).toMatch(/^for/)
    const took = Date.now() - started
    expect(took).toBeGreaterThanOrEqual(FAMILY_ATTEMPT_MS - 50)
    expect(took).toBeLessThan(FAMILY_ATTEMPT_MS + 2500)
    const only6 = clientOf({ family: 6, connectTimeoutMs: 1000 }, both)
    await expect(only6.get(`http://mcp.example:${port}/`)).rejects.toMatchObject({
      code: 'UND_ERR_CONNECT_TIMEOUT',
    })
  })

  test.each([
    [4 as const, 'IPv4'],
    [6 as const, 'IPv6'],
  ])('--ipv%i is the only one', async (family, name) => {
    const server = await echo({ host: family === 4 ? '127.0.0.1' : '::1' })
    const { port } = new URL(server.origin)
    const client = clientOf({ family }, both)
    expect(await client.get(`http://mcp.example:${port}/`)).toMatch(/^for/)
    expect(client.log.changes).toMatchObject([{ family: name }])
  })
})

test('TCP keep-alive is on', async () => {
  const spy = vi.spyOn(Socket.prototype, 'setKeepAlive')
  onTestFinished(() => spy.mockRestore())
  const server = await echo()
  await clientOf({}).get(server.origin)
  expect(spy).toHaveBeenCalledWith(true, TCP_KEEP_ALIVE_MS)
})
