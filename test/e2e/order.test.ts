import type { ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { initialize, startBridge } from '../support/bridge.ts'
import { initializeResult, json, startServer, type Seen } from '../support/http-server.ts'
import { until } from '../support/until.ts'

const wireLog = fileURLToPath(new URL('../support/preload/wire-log.cjs', import.meta.url))

test('3,000 pipelined requests reach the wire in the order in which the host wrote them', async () => {
  const count = 3_000
  const server = await startServer(answer)
  const bridge = startBridge(server.url, { nodeArgs: ['-r', wireLog] })
  bridge.write(initialize('first'))
  await bridge.answer('first')
  const ids = Array.from({ length: count }, (_, id) => id)
  bridge.child.stdin.write(
    ids.map((id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}\n`).join(''),
  )
  await until('all answers', () => bridge.lines.length > count, { ms: 40_000 })
  bridge.end()
  await bridge.exit()
  const wire = /^wire: (.*)$/m.exec(bridge.stderr())![1]!
  expect(JSON.parse(wire)).toEqual(ids)
  // They leave in order, on many connections; in which order a server looks at those is its choice.
  const arrived = server.seen.flatMap(({ message }) =>
    typeof message?.id === 'number' ? message.id : [],
  )
  expect(arrived.toSorted((a, b) => a - b)).toEqual(ids)
})

test('no cancellation overtakes its request, although each has a connection of its own', async () => {
  const count = 200
  const open = new Map<unknown, ServerResponse>()
  const server = await startServer((request, response) => {
    const { method, id, params } = request.message!
    if (method === 'tools/call') {
      open.set(id, response)
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    } else if (method === 'notifications/cancelled') {
      response.writeHead(202).end()
      open.get(params!['requestId'])?.end()
    } else {
      answer(request, response)
    }
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize('first'))
  await bridge.answer('first')
  const pair = (id: number): string =>
    `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"slow"}}\n` +
    `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}\n`
  bridge.child.stdin.write(Array.from({ length: count }, (_, id) => pair(id)).join(''))
  const arrived = await until('all of them', () => {
    const all = server.seen
      .slice(1)
      .map(({ message }) => message?.id ?? `-${message?.params?.['requestId']}`)
    return all.length === 2 * count && all
  })
  const overtaken = Array.from({ length: count }, (_, id) => id).filter(
    (id) => arrived.indexOf(`-${id}`) < arrived.indexOf(id),
  )
  expect(overtaken).toEqual([])
})

test('a cancellation reaches a server that says nothing at all about the request', async () => {
  const server = await startServer((request, response) => {
    if (request.message?.method === 'notifications/cancelled') response.writeHead(202).end()
    else if (request.message?.method !== 'tools/call') answer(request, response)
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize('first'))
  await bridge.answer('first')
  bridge.write('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow"}}')
  bridge.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}')
  await until('the cancellation', () => server.seen.length === 3, { ms: 2_000 })
  expect(server.seen.map(({ message }) => message?.method)).toEqual([
    'initialize',
    'tools/call',
    'notifications/cancelled',
  ])
})

function answer({ message }: Seen, response: ServerResponse): void {
  if (message?.method === 'initialize') json(response, initializeResult(message.id))
  else json(response, { jsonrpc: '2.0', id: message?.id, result: {} })
}
