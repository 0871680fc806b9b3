import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readBody } from '../../src/http/body.ts'
import { createHttpClient, type HttpRequest, type HttpResponse } from '../../src/http/client.ts'
import { BODY_JOIN_BYTES } from '../../src/limits.ts'
import { plainNetwork } from '../support/network.ts'
import { until } from '../support/until.ts'

/** A real server, and a client that asks it. */
async function start(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handler)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp?a=b`)
  const client = createHttpClient(plainNetwork())
  onTestFinished(async () => {
    await client.destroy()
    server.close()
    server.closeAllConnections()
  })
  const send = (request: Partial<HttpRequest> = {}): Promise<HttpResponse> =>
    client.send({ method: 'POST', url, headers: {}, ...request })
  return { send, url, sockets, client }
}

/** Everything that a request carries. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

describe('a request', () => {
  test.each<[string, Buffer[]]>([
    ['in one piece', [Buffer.from('{"id":1}')]],
    ['in small pieces', [Buffer.from('{"id"'), Buffer.from(':1}')]],
    [
      'in large pieces',
      [Buffer.alloc(BODY_JOIN_BYTES, 'a'), Buffer.from('b'), Buffer.alloc(5e6, 'c')],
    ],
    [
      'with an empty piece',
      [Buffer.alloc(BODY_JOIN_BYTES + 1, 'a'), Buffer.alloc(0), Buffer.from('b')],
    ],
  ])('%s arrives whole, with its length', async (_, body) => {
    const whole = Buffer.concat(body)
    let seen: { headers: IncomingMessage['headers']; body: Buffer } | undefined
    const { send } = await start(async (request, response) => {
      seen = { headers: request.headers, body: await bodyOf(request) }
      response.end()
    })
    const response = await send({ body, headers: { 'content-type': 'application/json' } })
    await readBody(response, 1)
    expect(response.status).toBe(200)
    expect(seen!.body.equals(whole)).toBe(true)
    expect(seen!.headers).toMatchObject({
      'content-length': String(whole.length),
      'content-type': 'application/json',
    })
    expect(seen!.headers).not.toHaveProperty('transfer-encoding')
  })

  test('without body asks for path and query', async () => {
    const { send, url } = await start((request, response) => {
      response.end(`${request.method} ${request.url}`)
    })
    const response = await send({ method: 'GET' })
    expect((await readBody(response, 100)).toString()).toBe('GET /mcp?a=b')
    expect(response.url).toBe(url)
  })

  test('says when it starts, before it is answered', async () => {
    const order: string[] = []
    const { send } = await start((_request, response) => {
      order.push('arrived')
      response.end()
    })
    await readBody(await send({ onStart: () => order.push('started') }), 1)
    expect(order).toEqual(['started', 'arrived'])
  })

  test('is never followed to another place', async () => {
    const { send } = await start((_request, response) => {
      response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()
    })
    const response = await send()
    expect(response.status).toBe(307)
    response.discard()
  })

  test('to nobody fails', async () => {
    const { send } = await start(() => {})
    await expect(send({ url: new URL('http://127.0.0.1:1/') })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
  })
})

describe('a response', () => {
  test('gives its body in order, also when it is read late', async () => {
    const { send } = await start((_request, response) => {
      response.write('a')
      response.write('b')
      response.end('c')
    })
    const response = await send()
    await new Promise((resolve) => setImmediate(resolve))
    expect((await readBody(response, 100)).toString()).toBe('abc')
  })

  test('is paused while a piece is taken care of, and the server notices', async () => {
    const total = 64 * 1024 * 1024
    let written = 0
    const { send } = await start(async (_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'x')
      for (; written < total; written += chunk.length) {
        if (!response.write(chunk)) await once(response, 'drain')
      }
      response.end()
    })
    const response = await send()
    let release = (): void => {}
    let taken = 0
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const end = response.consume((chunk) => {
      taken += chunk.length
      return taken === chunk.length ? gate : undefined
    })
    const stalled = await until('the server to stand still', async () => {
      const before = written
      await new Promise((resolve) => setTimeout(resolve, 200))
      return before > 0 && written === before && before
    })
    expect(stalled).toBeLessThan(total / 2)
    expect(taken).toBeLessThan(1024 * 1024)
    release()
    await end
    expect(taken).toBe(total)
  })

  test('that is not read is paused too', async () => {
    let written = 0
    const { send } = await start((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'x')
      const push = (): void => {
        do written += chunk.length
        while (response.write(chunk))
      }
      response.on('drain', push)
      push()
    })
    const response = await send()
    await until('the server to stand still', async () => {
      const before = written
      await new Promise((resolve) => setTimeout(resolve, 200))
      return before > 0 && written === before
    })
    expect(written).toBeLessThan(64 * 1024 * 1024)
    response.discard()
  })

  test('that is cut rejects', async () => {
    const { send } = await start((_request, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('12345', () => response.destroy())
    })
    const response = await send()
    const pieces: string[] = []
    const end = response.consume((chunk) => {
      pieces.push(chunk.toString())
      return undefined
    })
    await expect(end).rejects.toBeInstanceOf(Error)
    expect(pieces.join('')).toBe('12345')
  })

  test('whose reader throws rejects with that, and its connection is closed', async () => {
    const { send, sockets } = await start((_request, response) => {
      response.write('x')
    })
    const response = await send()
    const end = response.consume(() => {
      throw new RangeError('too much')
    })
    await expect(end).rejects.toThrow('too much')
    await until('the closed connection', () => sockets.size === 0)
  })

  test('that is not wanted frees its connection', async () => {
    const { send, sockets } = await start((_request, response) => {
      response.write('x')
    })
    const response = await send()
    expect(sockets.size).toBe(1)
    response.discard()
    await until('the closed connection', () => sockets.size === 0)
  })

  test('that is too long for its reader is cut there', async () => {
    const { send, sockets } = await start((_request, response) => {
      response.write('x'.repeat(1000))
    })
    expect((await readBody(await send(), 10)).length).toBeLessThanOrEqual(10)
    await until('the closed connection', () => sockets.size === 0)
  })
})

describe('an abort', () => {
  const reason = new Error('enough')

  test('before the start sends nothing', async () => {
    let arrived = 0
    const { send } = await start((_request, response) => {
      arrived++
      response.end()
    })
    await expect(send({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await readBody(await send(), 1)
    expect(arrived).toBe(1)
  })

  test('before the answer closes the connection', async () => {
    const { send, sockets } = await start(() => {})
    const abort = new AbortController()
    const sent = send({ signal: abort.signal })
    await until('the connection', () => sockets.size === 1)
    abort.abort(reason)
    await expect(sent).rejects.toBe(reason)
    await until('the closed connection', () => sockets.size === 0)
  })

  test('inside the body rejects it', async () => {
    const { send, sockets } = await start((_request, response) => {
      response.write('x')
    })
    const abort = new AbortController()
    const response = await send({ signal: abort.signal })
    const end = response.consume(() => {
      abort.abort(reason)
      return undefined
    })
    await expect(end).rejects.toBe(reason)
    await until('the closed connection', () => sockets.size === 0)
  })

  test('after the end changes nothing', async () => {
    const { send } = await start((_request, response) => {
      response.end('x')
    })
    const abort = new AbortController()
    const response = await send({ signal: abort.signal })
    expect((await readBody(response, 10)).toString()).toBe('x')
    abort.abort(reason)
    expect((await readBody(await send(), 10)).toString()).toBe('x')
  })
})

test('the end of the client ends every connection', async () => {
  const { send, client, sockets } = await start((_request, response) => {
    response.write('x')
  })
  const response = await send()
  const end = response.consume(() => undefined)
  await client.destroy()
  await expect(end).rejects.toBeInstanceOf(Error)
  await until('the closed connection', () => sockets.size === 0)
})
