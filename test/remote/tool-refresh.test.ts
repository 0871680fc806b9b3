import { expect, test } from 'vitest'
import { json } from '../support/http-server.ts'
import { type Handler, result, startMcpServer } from '../support/mcp-server.ts'
import { modern, openHost } from '../support/remote.ts'

const MISMATCH = { code: -32020, message: 'Header mismatch' }

const answered: (error: object, status: number) => Handler =
  (error, status) =>
  ({ message }, response) =>
    json(response, { jsonrpc: '2.0', id: message?.id, error }, { status })

test.each<{ name: string; list: Handler; pages: number }>([
  { name: 'one error', list: answered({ code: -32603, message: 'No.' }, 200), pages: 1 },
  {
    name: 'a page that says that it is the last',
    list: (request, response) => json(response, result(request, { tools: [], nextCursor: null })),
    pages: 1,
  },
  {
    name: 'pages without end',
    list: (request, response) => json(response, result(request, { tools: [], nextCursor: 'x' })),
    pages: 20,
  },
])('a look at the tools that meets $name ends, and the call is made again', async (row) => {
  let calls = 0
  const server = await startMcpServer({
    'tools/list': row.list,
    'tools/call': (request, response) => {
      if (++calls === 1) return answered(MISMATCH, 400)(request, response)
      return json(response, result(request, { content: [] }))
    },
  })
  const host = await openHost(server.url)
  const answer = await host.ask(1, 'tools/call', modern({ name: 'x' }))
  expect(answer.result).toEqual({ content: [] })
  const lists = server.seen.filter(({ message }) => message?.method === 'tools/list')
  expect(lists).toHaveLength(row.pages)
})
