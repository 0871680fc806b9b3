import { expect, test } from 'vitest'
import { refuse, startMcpServer } from '../support/mcp-server.ts'
import { INITIALIZE, openHost } from '../support/remote.ts'
import { startSseServer } from '../support/sse-server.ts'

test('a server that refuses a ping is there: its connections stay, and it is asked again', async () => {
  let pings = 0
  const server = await startMcpServer({
    ping(request, response) {
      pings++
      return refuse(500, 'text/plain', 'busy')(request, response)
    },
  })
  const host = await openHost(server.url, { pingMs: 200 })
  await host.ask(0, 'initialize', INITIALIZE)
  host.write({ method: 'notifications/initialized' })
  await expect.poll(() => pings).toBe(1)
  const connections = [...server.sockets]
  await expect.poll(() => pings).toBe(3)
  expect(connections.every((socket) => server.sockets.has(socket))).toBe(true)
  expect(host.log.changes.filter(({ part }) => part === 'network')).toEqual([])
  expect(host.said).toHaveLength(1)
})

test('HTTP+SSE: a stream is kept when the server answers neither pings nor takes them', async () => {
  let pings = 0
  const server = await startSseServer({
    ping(_request, response) {
      // Every other one is the look whether messages are still taken.
      response.writeHead(++pings % 2 === 1 ? 202 : 500).end()
    },
  })
  const host = await openHost(server.url, { transport: 'sse', pingMs: 50 })
  await host.ask(0, 'initialize', INITIALIZE)
  host.write({ method: 'notifications/initialized' })
  await expect.poll(() => pings).toBeGreaterThan(3)
  expect(server.streams).toHaveLength(1)
  expect(host.log.changes.filter(({ part }) => part === 'network')).toEqual([])
  expect(await host.ask(1, 'tools/list')).toMatchObject({ result: {} })
})
