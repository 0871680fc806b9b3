import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homeFolder } from '../auth/home.ts'
import { finish } from '../auth/host.ts'
import { startBridge } from '../support/bridge.ts'
import { refuse, startMcpServer } from '../support/mcp-server.ts'

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}
const PROBE = { jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: META } }

test('a host that leaves with the answer to its probe need not have the server asked again', async () => {
  const body = '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"No session"}}'
  const probed = refuse(400, 'application/json', body)
  const server = await startMcpServer({ 'server/discover': probed })
  const home = homeFolder()
  const known = join(home, 'cache', 'servers')
  for (let start = 0; start < 3; start++) {
    const host = startBridge(server.url, { home })
    host.write(PROBE)
    // Nobody who has said goodbye already waits for what is to be remembered.
    host.end()
    expect((await host.answer(1)).error).toMatchObject({ code: -32601 })
    await finish(host)
    expect(existsSync(known) && readdirSync(known)).toHaveLength(1)
  }
  expect(server.seen).toHaveLength(1)
})
