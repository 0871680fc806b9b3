import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { type Connection, createConnections } from '../../src/http/connections.ts'
import { MAX_TRUSTED_IDLE_MS } from '../../src/limits.ts'
import { plainNetwork } from '../support/network.ts'
import { until } from '../support/until.ts'

/** A pool with a clock of its own, and a server that answers what is not told to hang. */
async function start() {
  const clock = { ms: 0 }
  const hanging: ServerResponse[] = []
  const server: Server = createServer((request, response) => {
    if (request.url === '/hang') hanging.push(response)
    else response.end()
  })
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connect = plainNetwork().connector()
  const pool = createConnections({ connect, http2: false, now: () => clock.ms })
  onTestFinished(async () => {
    await pool.destroy()
    server.close()
    server.closeAllConnections()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const take = (mayRepeat?: () => boolean): Connection => pool.take(origin, mayRepeat)

  /** Sends a request on a connection that was taken, and gives the connection back. */
  async function ask(connection: Connection, path = '/'): Promise<'answered' | Error> {
    const result = await new Promise<'answered' | Error>((resolve) => {
      connection.client.dispatch(
        { path, method: 'GET' },
        {
          onRequestStart: () => {},
          onResponseEnd: () => resolve('answered'),
          onResponseError: (_controller, error) => resolve(error),
        },
      )
    })
    pool.release(connection)
    await turn()
    return result
  }
  return { pool, take, ask, clock, hanging, server }
}

test.each([
  [100, true],
  [MAX_TRUSTED_IDLE_MS - 1, true],
  [MAX_TRUSTED_IDLE_MS + 1, false],
])(
  'a server that promises a minute, idle for %i ms: kept for what must not happen twice: %s',
  async (idleMs, kept) => {
    const { pool, take, ask, clock } = await start()
    const first = take(() => false)
    await ask(first)
    pool.promised('timeout=60')
    clock.ms += idleMs
    expect(take(() => true)).toBe(first)
    expect(first.idleMs).toBe(idleMs)
    expect(first.socket?.destroyed).toBe(false)
    await ask(first)
    clock.ms += idleMs
    const { socket } = first
    expect(take(() => false) === first).toBe(kept)
    expect(socket?.destroyed).toBe(!kept)
  },
)

test('a server of which nothing is known is trusted for a moment, and for half of what was seen', async () => {
  const { take, ask, clock } = await start()
  const first = take(() => false)
  await ask(first)
  clock.ms += 20
  expect(take(() => false)).toBe(first)
  await ask(first)
  clock.ms += 100
  expect(take(() => true)).toBe(first)
  await ask(first)
  clock.ms += 50
  expect(take(() => false)).toBe(first)
  await ask(first)
  clock.ms += 51
  expect(take(() => false)).not.toBe(first)
})

test('what a server closes is remembered as the time after which it does so', async () => {
  const { pool, take, ask, clock, server } = await start()
  const first = take(() => false)
  await ask(first)
  pool.promised('timeout=60')
  clock.ms += 100
  server.closeIdleConnections()
  await until('the end of the connection', () => first.socket === undefined)
  const second = take(() => false)
  expect(second).not.toBe(first)
  await ask(second)
  clock.ms += 51
  expect(take(() => false)).not.toBe(second)
})

test('a request gets a connection to itself, the one that was used last where there are several', async () => {
  const { take, ask } = await start()
  const [one, two] = [take(), take()]
  expect(one).not.toBe(two)
  await Promise.all([ask(one, '/'), ask(two, '/')])
  const last = take()
  expect([one, two]).toContain(last)
  const other = take()
  expect([one, two]).toContain(other)
  expect(other).not.toBe(last)
  const third = take()
  expect([one, two]).not.toContain(third)
  expect(third.idleMs).toBe(0)
  await ask(other)
  await ask(last)
  expect(take()).toBe(last)
})

test('a reset ends what is idle, and leaves what carries a request', async () => {
  const { pool, take, ask, hanging } = await start()
  const [busy, idle] = [take(), take()]
  const asked = ask(busy, '/hang')
  await ask(idle)
  await until('the request', () => hanging.length === 1)
  pool.reset()
  await until('the end of the idle one', () => idle.socket === undefined)
  hanging[0]!.end()
  expect(await asked).toBe('answered')
  expect(take()).toBe(busy)
})

test('a suspicion ends the connections on which nothing has come since, with its reason', async () => {
  const { pool, take, ask, hanging } = await start()
  const [silent, heard] = [take(), take()]
  const ends = [ask(silent, '/hang'), ask(heard, '/hang')]
  await until('both requests', () => hanging.length === 2)
  const confirm = pool.suspect()
  const port = heard.socket?.localPort
  hanging.find(({ req }) => req.socket.remotePort === port)!.end()
  expect(await ends[1]).toBe('answered')
  const reason = new Error('nothing has come')
  confirm(reason)
  expect(await ends[0]).toBe(reason)
  expect(heard.socket?.destroyed).toBe(false)
})

test('a connection that cannot be made is forgotten, and none is made after the end', async () => {
  const { pool, take, ask } = await start()
  const refused = pool.take('http://127.0.0.1:1', undefined)
  expect(await ask(refused)).toMatchObject({ code: 'ECONNREFUSED' })
  expect(refused.client.destroyed).toBe(true)
  await pool.destroy()
  expect(await ask(take())).toMatchObject({ code: 'UND_ERR_DESTROYED' })
})
