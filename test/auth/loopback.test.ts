import { type IncomingHttpHeaders, request } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import {
  type Callback,
  type CallbackPlace,
  listenForCallback,
  PortUnavailable,
} from '../../src/auth/loopback.ts'
import { until } from '../support/until.ts'

const STATE = 'k3Jv9-Zq_7mXw2Lr5TbN8yHc4PdSf6Ga1Ue0RiOoVtQ'
const CODE = `/callback?code=c0de&state=${STATE}`

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly address?: string
}

/** One request on a connection of its own, without what a client library would tidy up. */
function ask(port: number, path: string, options: Ask = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, address = '127.0.0.1' } = options
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: address, port, path, method, headers, agent: false },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
        })
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

/** Whether something accepts connections there. */
function accepts(port: number, address = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: address })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

function idleConnection(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }).resume()
    socket.on('connect', () => resolve(socket))
    socket.on('error', reject)
    onTestFinished(() => {
      socket.destroy()
    })
  })
}

async function listen(place: Partial<CallbackPlace> = {}): Promise<Callback> {
  const { signal } = new AbortController()
  const callback = await listenForCallback({
    host: '127.0.0.1',
    port: 0,
    path: '/callback',
    signal,
    ...place,
  })
  onTestFinished(() => callback.close())
  return callback
}

/** Takes a port as another program would. */
async function occupy(address: string, port = 0): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, resolve)
  })
  onTestFinished(() => {
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('the port is bound before anybody is told about it', async () => {
  const callback = await listen()
  expect(callback.redirectUri).toBe(`http://127.0.0.1:${callback.port}/callback`)
  expect(await accepts(callback.port)).toBe(true)
})

test('A-65: other machines cannot reach the listener', async () => {
  const { port } = await listen({ host: 'localhost' })
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0)
    .map(({ address }) => address)
  // Stands for a machine without a network: a listener on 0.0.0.0 has it, ours not. Nor has macOS.
  if (process.platform !== 'darwin') outside.push('127.0.0.2')
  const reachable = await Promise.all(outside.map((address) => accepts(port, address)))
  expect(reachable).not.toContain(true)
})

test('the browser is answered after finish, with the truth about a success', async () => {
  const callback = await listen()
  const answer = callback.answer(STATE)
  let page: Answer | undefined
  const browser = ask(callback.port, CODE).then((got) => (page = got))
  expect(Object.fromEntries(await answer)).toEqual({ code: 'c0de', state: STATE })
  // One more round trip: a page sent too early would have arrived before it.
  await ask(callback.port, '/other')
  expect(page).toBeUndefined()
  callback.finish({ ok: true })
  expect(await browser).toMatchObject({ status: 200 })
  expect(page?.body).toContain('You are signed in')
  expect(page?.body).not.toContain('c0de')
})

test('the browser is told the truth about a failure, and nothing in it is markup', async () => {
  const callback = await listen()
  const answer = callback.answer(STATE)
  const browser = ask(callback.port, `/callback?error=access_denied&state=${STATE}`)
  expect((await answer).get('error')).toBe('access_denied')
  callback.finish({ ok: false, title: 'Access <b>denied', detail: '<script>alert(1)</script>' })
  const { status, body } = await browser
  expect(status).toBe(400)
  expect(body).toContain('Access &lt;b&gt;denied')
  expect(body).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(body).not.toContain('<script')
  expect(body).not.toContain('signed in')
})

const GENUINE = { path: CODE, status: 0 }
const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

const FORGED: readonly (Ask & { what: string; path?: string; status: number })[] = [
  { what: 'another path', path: `/other?code=1&state=${STATE}`, status: 404 },
  { what: 'a longer path', path: `/callback/?code=1&state=${STATE}`, status: 404 },
  { what: 'a path in capitals', path: `/Callback?code=1&state=${STATE}`, status: 404 },
  { what: 'an encoded path', path: `/%63allback?code=1&state=${STATE}`, status: 404 },
  { what: 'a whole URL as path', path: `http://127.0.0.1${CODE}`, status: 404 },
  { what: 'the root', path: '/', status: 404 },
  { what: 'HEAD', method: 'HEAD', status: 405 },
  { what: 'POST', method: 'POST', status: 405 },
  { what: 'PUT', method: 'PUT', status: 405 },
  { what: 'DELETE', method: 'DELETE', status: 405 },
  { what: 'OPTIONS', method: 'OPTIONS', status: 405 },
  { what: 'a foreign Host', headers: { host: 'evil.example' }, status: 400 },
  { what: 'a foreign Host with our port', headers: { host: 'evil.example:PORT' }, status: 400 },
  { what: 'a Host that only begins well', headers: { host: 'localhost.evil:PORT' }, status: 400 },
  { what: 'a Host with a user', headers: { host: 'localhost:PORT@evil' }, status: 400 },
  { what: 'a Host with another port', headers: { host: '127.0.0.1:1' }, status: 400 },
  { what: 'a Host without a port', headers: { host: '127.0.0.1' }, status: 400 },
  { what: 'a WebSocket', headers: upgrade, status: 400 },
  { what: 'an upgrade to HTTP/2', headers: { connection: 'upgrade', upgrade: 'h2c' }, status: 400 },
  { what: 'no query', path: '/callback', status: 400 },
  { what: 'a code without state', path: '/callback?code=1', status: 400 },
  { what: 'an error without state', path: '/callback?error=access_denied', status: 400 },
  { what: 'an empty state', path: '/callback?code=1&state=', status: 400 },
  { what: 'another state', path: `/callback?code=1&state=${'x'.repeat(43)}`, status: 400 },
  { what: 'half a state', path: `/callback?code=1&state=${STATE.slice(0, -1)}`, status: 400 },
  { what: 'more than the state', path: `/callback?code=1&state=${STATE}x`, status: 400 },
  {
    what: 'a state in other letters',
    path: `/callback?code=1&state=${STATE.toUpperCase()}`,
    status: 400,
  },
  { what: 'two states', path: `/callback?code=1&state=${STATE}&state=${STATE}`, status: 400 },
  { what: 'a state in capitals', path: `/callback?code=1&STATE=${STATE}`, status: 400 },
]

test.each(FORGED)('$what is refused and changes nothing', async (forged) => {
  const callback = await listen()
  const answer = callback.answer(STATE)
  const { status, path, ...rest } = { ...GENUINE, ...forged }
  const headers = Object.fromEntries(
    Object.entries(rest.headers ?? {}).map(([name, value]) => [
      name,
      value.replace('PORT', String(callback.port)),
    ]),
  )
  const refused = await ask(callback.port, path, { ...rest, headers })
  expect(refused.status).toBe(status)
  expect(refused.headers).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  })
  expect(refused.headers.allow).toBe(status === 405 ? 'GET' : undefined)
  expect(Object.keys(refused.headers).filter((name) => name.startsWith('access-control'))).toEqual(
    [],
  )
  const browser = ask(callback.port, CODE)
  expect((await answer).get('code')).toBe('c0de')
  callback.finish({ ok: true })
  expect((await browser).status).toBe(200)
})

test('a request that does not fit is refused and changes nothing', async () => {
  const callback = await listen()
  const answer = callback.answer(STATE)
  const long = 'x'.repeat(20_000)
  expect((await ask(callback.port, `${CODE}&x=${long}`)).status).toBe(431)
  expect((await ask(callback.port, CODE, { headers: { cookie: long } })).status).toBe(431)
  const browser = ask(callback.port, `${CODE}&x=${long.slice(0, 8_000)}`)
  expect((await answer).get('code')).toBe('c0de')
  callback.finish({ ok: true })
  expect((await browser).status).toBe(200)
})

test.each([
  ['without a Host', `GET ${CODE} HTTP/1.0\r\n\r\n`],
  ['with an empty Host', `GET ${CODE} HTTP/1.1\r\nHost:\r\n\r\n`],
  ['for a tunnel', `CONNECT ${CODE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`],
  ['that is not HTTP', `\u0016\u0003\u0001${CODE}\r\n\r\n`],
])('a request %s is no callback', async (_what, text) => {
  const callback = await listen()
  const answer = callback.answer(STATE)
  const socket = await idleConnection(callback.port)
  let got = ''
  socket.on('data', (chunk: Buffer) => (got += chunk.toString()))
  socket.write(text)
  await until('the end of the connection', () => socket.closed)
  expect(got).toMatch(/^(HTTP\/1.1 400 |$)/)
  const browser = ask(callback.port, CODE)
  expect((await answer).get('code')).toBe('c0de')
  callback.finish({ ok: true })
  await browser
})

test('nothing is accepted before the state is known', async () => {
  const { port } = await listen()
  expect((await ask(port, '/callback?code=1&state=')).status).toBe(400)
  expect((await ask(port, '/callback?code=1&state=undefined')).status).toBe(400)
})

test.each(['127.0.0.1:PORT', 'localhost:PORT', 'LocalHost:PORT', '[::1]:PORT'])(
  'a browser may call us %s',
  async (host) => {
    const callback = await listen()
    const answer = callback.answer(STATE)
    const headers = { host: host.replace('PORT', String(callback.port)) }
    const browser = ask(callback.port, CODE, { headers })
    await answer
    callback.finish({ ok: true })
    expect((await browser).status).toBe(200)
  },
)

test('a path that browsers encode is found again', async () => {
  const callback = await listen({ path: '/oauth/zurück' })
  expect(callback.redirectUri).toBe(`http://127.0.0.1:${callback.port}/oauth/zurück`)
  const answer = callback.answer(STATE)
  const { pathname } = new URL(callback.redirectUri)
  const browser = ask(callback.port, `${pathname}?code=1&state=${STATE}`)
  await answer
  callback.finish({ ok: true })
  expect((await browser).status).toBe(200)
})

test('the same callback again gets the same page and changes nothing', async () => {
  const callback = await listen()
  const answer = callback.answer(STATE)
  const late = await idleConnection(callback.port)
  const browsers = [ask(callback.port, CODE)]
  const first = await answer
  browsers.push(ask(callback.port, CODE.replace('c0de', 'other')))
  // By the time a later request is answered, the repetition has been read.
  await ask(callback.port, '/other')
  callback.finish({ ok: true })
  expect(first.get('code')).toBe('c0de')
  // On a connection from before the end there is still time to ask.
  let text = ''
  late.on('data', (chunk: Buffer) => (text += chunk.toString()))
  late.write(`GET ${CODE} HTTP/1.1\r\nHost: 127.0.0.1:${callback.port}\r\n\r\n`)
  const pages = await Promise.all(browsers)
  expect(pages.map(({ status }) => status)).toEqual([200, 200])
  expect(pages[1]?.body).toBe(pages[0]?.body)
  await until('the page on the old connection', () => text.endsWith('</html>\n'))
  expect(text).toMatch(/^HTTP\/1.1 200 /)
  callback.finish({ ok: false, title: 'Never shown', detail: '' })
})

test('answer can be asked for once only', async () => {
  const callback = await listen()
  const first = callback.answer(STATE)
  await expect(callback.answer('another')).rejects.toThrow('stopped')
  const browser = ask(callback.port, CODE)
  await first
  callback.finish({ ok: true })
  await browser
})

test('a browser that is gone before the end does no harm', async () => {
  const callback = await listen()
  const answer = callback.answer(STATE)
  const socket = await idleConnection(callback.port)
  socket.write(`GET ${CODE} HTTP/1.1\r\nHost: 127.0.0.1:${callback.port}\r\n\r\n`)
  await answer
  socket.destroy()
  const reloaded = ask(callback.port, CODE)
  await ask(callback.port, '/other')
  callback.finish({ ok: true })
  expect((await reloaded).body).toContain('You are signed in')
})

test('the port is free again right after finish', async () => {
  const callback = await listen()
  const answer = callback.answer(STATE)
  const browser = ask(callback.port, CODE)
  const idle = await idleConnection(callback.port)
  await answer
  callback.finish({ ok: true })
  await browser
  expect(await accepts(callback.port)).toBe(false)
  await callback.close()
  await until('the end of the idle connection', () => idle.closed)
  const again = await listen({ port: callback.port })
  expect(again.port).toBe(callback.port)
})

test('finish without an answer closes as well', async () => {
  const callback = await listen()
  const answer = callback.answer(STATE)
  callback.finish({ ok: false, title: 'Too late', detail: 'Nobody signed in.' })
  await expect(answer).rejects.toThrow('stopped')
  expect(await accepts(callback.port)).toBe(false)
})

test('the signal closes at once and tells whoever waits', async () => {
  const controller = new AbortController()
  const callback = await listen({ host: 'localhost', signal: controller.signal })
  const answer = callback.answer(STATE)
  controller.abort(new Error('stdin has ended'))
  await expect(answer).rejects.toThrow('stdin has ended')
  expect(await accepts(callback.port)).toBe(false)
  expect(await accepts(callback.port, '::1')).toBe(false)
  await callback.close()
})

test('a browser that waits when the signal comes is told so', async () => {
  const controller = new AbortController()
  const callback = await listen({ signal: controller.signal })
  const answer = callback.answer(STATE)
  const browser = ask(callback.port, CODE)
  await answer
  controller.abort()
  const { status, body } = await browser
  expect(status).toBe(400)
  expect(body).toContain('Sign-in was stopped')
})

test('nothing is bound after the signal', async () => {
  const signal = AbortSignal.abort(new Error('too late'))
  await expect(listen({ signal })).rejects.toThrow('too late')
  const controller = new AbortController()
  const starting = listen({ signal: controller.signal })
  controller.abort(new Error('just in time'))
  await expect(starting).rejects.toThrow('just in time')
})

test('localhost is answered on both of its addresses', async () => {
  const callback = await listen({ host: 'localhost' })
  expect(callback.redirectUri).toBe(`http://localhost:${callback.port}/callback`)
  const headers = { host: `localhost:${callback.port}` }
  expect((await ask(callback.port, '/callback', { headers })).status).toBe(400)
  const answer = callback.answer(STATE)
  const browser = ask(callback.port, CODE, { headers, address: '::1' })
  await answer
  callback.finish({ ok: true })
  expect((await browser).status).toBe(200)
})

test('A-66: a taken port is an error that a caller can tell from others', async () => {
  const port = await occupy('127.0.0.1')
  const error: unknown = await listen({ port }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(PortUnavailable)
  expect(error).toMatchObject({
    port,
    message: `Port ${port} of 127.0.0.1 cannot be used for sign-in: another program listens there.`,
  })
})

test('localhost is not served by half: a taken ::1 is an error and 127.0.0.1 is given back', async () => {
  const port = await occupy('::1')
  const error: unknown = await listen({ host: 'localhost', port }).catch(
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(PortUnavailable)
  expect(error).toMatchObject({ port, message: expect.stringContaining(`Port ${port} of ::1`) })
  expect(await accepts(port)).toBe(false)
})

test('the person gets through a crowd of idle connections', async () => {
  const callback = await listen()
  const answer = callback.answer(STATE)
  const crowd: Socket[] = []
  for (let count = 0; count < 100; count++) crowd.push(await idleConnection(callback.port))
  await until('the oldest to be dropped', () => crowd.filter(({ closed }) => closed).length >= 68)
  const browser = ask(callback.port, CODE)
  await answer
  for (let count = 0; count < 40; count++) await idleConnection(callback.port)
  callback.finish({ ok: true })
  expect((await browser).status).toBe(200)
})

test('a connection that never says what it wants is dropped, the waiting browser is not', async () => {
  const callback = await listen()
  const answer = callback.answer(STATE)
  const browser = ask(callback.port, CODE)
  await answer
  const silent = await idleConnection(callback.port)
  const slow = await idleConnection(callback.port)
  slow.write('GET /callback HTTP/1.1\r\nX: ')
  await until('the end of both', () => silent.closed && slow.closed)
  callback.finish({ ok: true })
  expect((await browser).status).toBe(200)
}, 20_000)
