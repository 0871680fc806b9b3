import { once } from 'node:events'
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import tls from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readBody } from '../../src/http/body.ts'
import { createHttpClient, type HttpRequest, type HttpResponse } from '../../src/http/client.ts'
import { createNetwork } from '../../src/http/network.ts'
import { BODY_JOIN_BYTES } from '../../src/limits.ts'
import { makeAuthority } from '../support/certificate.ts'
import { json, startServer } from '../support/http-server.ts'
import { type KeptLog, keptLog } from '../support/log.ts'
import { networkOptions } from '../support/network.ts'
import { until } from '../support/until.ts'

const ca = makeAuthority()
const trusting = { ca: [ca.cert], secureContext: tls.createSecureContext({ ca: ca.cert }) }

interface Place {
  readonly sessions: ReadonlySet<ServerHttp2Session>
  readonly sockets: ReadonlySet<Socket>
  /** The bodies of all requests, in order of arrival. */
  readonly bodies: string[]
  readonly log: KeptLog
  send(body: string, more?: Partial<HttpRequest>): Promise<HttpResponse>
}

/** A real server that offers HTTP/2, and a client that takes it. */
async function start(
  handler: (request: Http2ServerRequest, response: Http2ServerResponse, body: string) => void,
): Promise<Place> {
  const sessions = new Set<ServerHttp2Session>()
  const bodies: string[] = []
  const server = createSecureServer({ ...ca.issue('127.0.0.1') }, (request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      bodies.push(body)
      handler(request, response, body)
    })
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  server.on('sessionError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)
  const log = keptLog()
  const client = createHttpClient(createNetwork(networkOptions({ http2: true }), log, trusting))
  onTestFinished(async () => {
    await client.destroy()
    for (const session of sessions) session.destroy()
    server.close()
  })
  const send: Place['send'] = (body, more) =>
    client.send({ method: 'POST', url, headers: {}, body: [Buffer.from(body)], ...more })
  return { sessions, sockets, bodies, log, send }
}

const text = async (response: HttpResponse): Promise<string> =>
  String(await readBody(response, 1_000_000))

describe('over HTTP/2', () => {
  test('64 requests at once share one connection once it is there', async () => {
    const { send, sessions, log } = await start((_request, response, body) => response.end(body))
    expect(await text(await send('first'))).toBe('first')
    const names = Array.from({ length: 64 }, (_, i) => `n${i}`)
    const answers = await Promise.all(names.map(async (name) => text(await send(name))))
    expect(answers).toEqual(names)
    expect(sessions.size).toBe(1)
    expect(log.changes).toMatchObject([{ http: 'HTTP/2' }])
  })

  test('an event stream arrives piece by piece, beside other requests', async () => {
    const pieces: string[] = []
    let write: (text: string) => void = () => {}
    const { send } = await start((_request, response, body) => {
      if (body !== 'stream') {
        response.end(body)
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      write = (piece) => response.write(piece)
      write('data: 1\n\n')
    })
    const response = await send('stream')
    void response.consume((chunk) => void pieces.push(String(chunk))).catch(() => {})
    await until('the first event', () => pieces.join('').includes('data: 1'))
    expect(await text(await send('other'))).toBe('other')
    write('data: 2\n\n')
    await until('the second event', () => pieces.join('').includes('data: 2'))
    response.discard()
  })

  test('an abort ends that request alone', async () => {
    let aborted = 0
    const { send } = await start((request, response, body) => {
      if (body === 'other') response.end(body)
      else request.on('aborted', () => aborted++)
    })
    const ending = new AbortController()
    const hanging = send('hang', { signal: ending.signal })
    await send('other').then(text)
    ending.abort(new Error('enough'))
    await expect(hanging).rejects.toThrow('enough')
    await until('the server to notice', () => aborted === 1)
    expect(await text(await send('other'))).toBe('other')
  })

  test('a slow reader slows the server down', async () => {
    const total = 64 * 1024 * 1024
    let written = 0
    const { send } = await start((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'x')
      const fill = (): void => {
        while (written < total) {
          written += chunk.length
          if (!response.write(chunk)) {
            response.once('drain', fill)
            return
          }
        }
        response.end()
      }
      fill()
    })
    const response = await send('')
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    let taken = 0
    const end = response.consume((chunk) => {
      taken += chunk.length
      return gate
    })
    const stalled = await until('the server to stand still', async () => {
      const before = written
      await new Promise((resolve) => {
        setTimeout(resolve, 200)
      })
      return written === before && before
    })
    expect(stalled).toBeLessThan(4 * 1024 * 1024)
    release()
    await end
    expect(taken).toBe(total)
  })

  test('a large body arrives whole', async () => {
    const { send } = await start((_request, response, body) => response.end(String(body.length)))
    const pieces = Array.from({ length: 5 }, () => Buffer.alloc(BODY_JOIN_BYTES, 'x'))
    expect(await text(await send('', { body: pieces }))).toBe(String(5 * BODY_JOIN_BYTES))
  })

  test('requests start, and arrive, in order', async () => {
    const { send, bodies } = await start((_request, response) => response.end())
    const names = Array.from({ length: 50 }, (_, i) => `n${i}`)
    await text(await send('warm'))
    const started: string[] = []
    for (const name of names) {
      await new Promise<void>((resolve, reject) => {
        const onStart = (): void => {
          started.push(name)
          resolve()
        }
        send(name, { onStart }).then((response) => response.discard(), reject)
      })
    }
    await until('all', () => bodies.length === names.length + 1)
    expect(bodies.slice(1)).toEqual(names)
    expect(started).toEqual(names)
  })

  test.each<[string, (place: Place) => void]>([
    ['destroyed', ({ sessions }) => sessions.forEach((session) => session.destroy())],
    ['closed below', ({ sockets }) => sockets.forEach((socket) => socket.destroy())],
    ['reset below', ({ sockets }) => sockets.forEach((socket) => socket.resetAndDestroy())],
    // undici ends what is open, although the server would still answer it: why HTTP/2 is off unless
    // somebody wants it (docs/decisions/009-http2-off.md).
    ['told to go', ({ sessions }) => sessions.forEach((session) => session.goaway(0))],
    ['told to go for an error', ({ sessions }) => sessions.forEach((session) => session.goaway(2))],
  ])('a connection is %s: every request ends, none is sent twice', async (_, cut) => {
    const place = await start((_request, response, body) => {
      if (!body.startsWith('hang')) response.end(body)
    })
    const { send, bodies } = place
    await text(await send('warm'))
    const hanging = ['hang 1', 'hang 2', 'hang 3', 'hang 4']
    const ends = hanging.map((name) =>
      send(name).then(
        () => 'answered',
        () => 'failed',
      ),
    )
    await until('all to arrive', () => bodies.length === 5)
    cut(place)
    expect(await Promise.all(ends)).toEqual(hanging.map(() => 'failed'))
    expect(await text(await send('next'))).toBe('next')
    expect(bodies).toEqual(['warm', ...hanging, 'next'])
  })

  test('a server without it is spoken to as ever', async () => {
    const server = await startServer((_request, response) => json(response, 'one'), {
      tls: ca.issue('127.0.0.1'),
    })
    const log = keptLog()
    const client = createHttpClient(createNetwork(networkOptions({ http2: true }), log, trusting))
    onTestFinished(() => client.destroy())
    const url = new URL(server.url)
    const requests = Array.from({ length: 8 }, () =>
      client.send({ method: 'POST', url, headers: {}, body: [Buffer.from('{}')] }),
    )
    for (const response of await Promise.all(requests)) expect(await text(response)).toBe('one')
    // No request waits behind another one.
    expect(server.sockets.size).toBe(8)
    expect(log.changes).toMatchObject([{ http: 'HTTP/1.1' }])
  })
})
