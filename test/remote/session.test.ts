import { expect, test } from 'vitest'
import { initializeResult, json } from '../support/http-server.ts'
import { startMcpServer } from '../support/mcp-server.ts'
import { INITIALIZE, openHost } from '../support/remote.ts'

test.each([
  { version: '2025-11-25', id: 's', headers: { session: 's', version: '2025-11-25' } },
  { version: '2025-03-26', id: 's', headers: { session: 's' } },
  { version: 20251125, id: 's', headers: { session: 's' } },
  { version: '2025-11-25', id: 'no id', headers: { version: '2025-11-25' } },
  { version: '2025-11-25', id: undefined, headers: { version: '2025-11-25' } },
])('after version $version and session id $id every request carries $headers', async (row) => {
  const server = await startMcpServer({
    initialize({ message }, response) {
      const headers = row.id === undefined ? {} : { 'mcp-session-id': row.id }
      json(response, initializeResult(message?.id, row.version as string), { headers })
    },
  })
  const host = await openHost(server.url)
  await host.ask(0, 'initialize', INITIALIZE)
  await host.ask(1, 'ping')
  const { 'mcp-session-id': session, 'mcp-protocol-version': version } = server.seen[1]!.headers
  expect({ session, version }).toEqual({ session: undefined, version: undefined, ...row.headers })
})

test('an initialize that is refused settles nothing, and the next one does', async () => {
  let isFirst = true
  const server = await startMcpServer({
    initialize({ message }, response) {
      const error = { code: -32602, message: 'Another time.' }
      const refusal = { jsonrpc: '2.0', id: message?.id, error }
      json(response, isFirst ? refusal : initializeResult(message?.id))
      isFirst = false
    },
  })
  const host = await openHost(server.url)
  expect(await host.ask(0, 'initialize', INITIALIZE)).toHaveProperty('error')
  await host.ask(1, 'ping')
  await host.ask(2, 'initialize', INITIALIZE)
  await host.ask(3, 'ping')
  const versions = server.seen.map(({ headers }) => headers['mcp-protocol-version'])
  expect(versions).toEqual([undefined, undefined, undefined, '2025-11-25'])
})
