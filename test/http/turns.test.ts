import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readBody } from '../../src/http/body.ts'
import { createHttpClient, type HttpRequest } from '../../src/http/client.ts'
import type { Network } from '../../src/http/network.ts'
import { createTurns } from '../../src/http/turns.ts'
import { plainNetwork } from '../support/network.ts'
import { until } from '../support/until.ts'

describe('places', () => {
  function start(count: number) {
    const later: (() => void)[] = []
    const turns = createTurns((work) => void later.push(work))
    const again: number[] = []
    const places = Array.from({ length: count }, () => turns.take({})!)
    const begin = (i: number): boolean => places[i]!.start(() => void again.push(i))
    const settle = (): void => later.splice(0).forEach((work) => work())
    return { turns, places, begin, again, settle }
  }

  test('that are begun in order wait for nobody', () => {
    const { begin, again, settle } = start(3)
    expect([begin(0), begin(1), begin(2)]).toEqual([true, true, true])
    settle()
    expect(again).toEqual([])
  })

  test('that would overtake go again one by one, each when the one before is written', () => {
    const { begin, again, settle } = start(3)
    expect([begin(2), begin(1), begin(0)]).toEqual([false, false, true])
    expect(again).toEqual([])
    settle()
    expect(again).toEqual([1])
    expect(begin(1)).toBe(true)
    settle()
    expect(again).toEqual([1, 2])
    expect(begin(2)).toBe(true)
  })

  test('that will never be written hold nobody back', () => {
    const { places, begin, again, settle } = start(3)
    expect(begin(2)).toBe(false)
    places[1]!.end()
    settle()
    expect(again).toEqual([])
    places[0]!.end()
    settle()
    expect(again).toEqual([2])
    places[0]!.end()
    expect(begin(2)).toBe(true)
  })

  test('are given once: what goes again is not in order', () => {
    const turns = createTurns()
    const message = {}
    expect(turns.take(message)).toBeDefined()
    expect(turns.take(message)).toBeUndefined()
  })
})

/** A server, and a client with two idle connections, of which the one that it takes first can be cut. */
async function startPair() {
  const arrived: string[] = []
  const ports = new Map<string, number | undefined>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const name = Buffer.concat(chunks).toString()
    arrived.push(name)
    ports.set(name, request.socket.remotePort)
    if (name === 'one') await until('the other', () => ports.has('two'))
    if (name === 'two') await one
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)

  const sockets: Socket[] = []
  const way: { open: (connect: () => void, fail: (error: Error) => void) => void } = {
    open: (connect) => connect(),
  }
  const plain = plainNetwork()
  const network: Network = {
    ...plain,
    connector(needs) {
      const connect = plain.connector(needs)
      return (target, callback) => {
        const make = (): void => {
          connect(target, (...result) => {
            if (result[0] === null) sockets.push(result[1])
            callback(...result)
          })
        }
        way.open(make, (error) => callback(error, null))
      }
    },
  }
  const client = createHttpClient(network)
  onTestFinished(async () => {
    await client.destroy()
    server.close()
    server.closeAllConnections()
  })
  async function send(name: string, more: Partial<HttpRequest> = {}): Promise<void> {
    const body = [Buffer.from(name)]
    await readBody(await client.send({ method: 'POST', url, headers: {}, body, ...more }), 1)
  }
  const one = send('one')
  await Promise.all([one, send('two')])
  // Now both may be taken again, and the one that was used last comes first.
  await turn()
  const cut = (): void => {
    sockets.find(({ localPort }) => localPort === ports.get('two'))!.destroy()
  }
  return { send, cut, way, arrived: () => arrived.slice(2) }
}

/** A function of its own for each message. */
const inOrder = (): Partial<HttpRequest> => ({ onPlaced: () => {} })

describe('a request whose connection is gone when its turn comes', () => {
  /** Time enough for the other connection to carry a request. */
  const AWHILE_MS = 100
  const slowly = (connect: () => void): void => void setTimeout(connect, AWHILE_MS)

  test('is not overtaken by the one behind it', async () => {
    const { send, cut, way, arrived } = await startPair()
    way.open = slowly
    const sent = [send('a', inOrder()), send('b', inOrder()), send('c', inOrder())]
    cut()
    await Promise.all(sent)
    expect(arrived()).toEqual(['a', 'b', 'c'])
  })

  test('does not hold back what has no place', async () => {
    const { send, cut, way, arrived } = await startPair()
    way.open = slowly
    const sent = [send('a', inOrder()), send('b')]
    cut()
    await Promise.all(sent)
    expect(arrived()).toEqual(['b', 'a'])
  })

  test('and gets no other one fails alone', async () => {
    const { send, cut, way, arrived } = await startPair()
    const refused = new Error('refused')
    way.open = (_connect, fail) => {
      way.open = (connect) => connect()
      setTimeout(fail, AWHILE_MS, refused)
    }
    const sent = [send('a', inOrder()), send('b', inOrder())]
    cut()
    await expect(sent[0]).rejects.toBe(refused)
    await sent[1]
    expect(arrived()).toEqual(['b'])
  })

  test('leaves out what was given up while it was held', async () => {
    const { send, cut, way, arrived } = await startPair()
    way.open = slowly
    const ending = new AbortController()
    const reason = new Error('enough')
    const first = send('a', inOrder())
    const given = send('b', { ...inOrder(), signal: ending.signal })
    const last = send('c', inOrder())
    void given.catch(() => {})
    cut()
    await sleep(AWHILE_MS / 2)
    ending.abort(reason)
    await expect(given).rejects.toBe(reason)
    await Promise.all([first, last])
    expect(arrived()).toEqual(['a', 'c'])
  })
})
