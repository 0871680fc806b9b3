import { describe, expect, test } from 'vitest'
import type { Script } from '../auth/authority.ts'
import { startHost } from '../auth/host.ts'
import { startWorld } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { watchSpawns } from '../support/hostile-process.ts'
import { json } from '../support/http-server.ts'
import { until } from '../support/until.ts'

/** What shells, `cmd.exe`, PowerShell, xdg-open's own script and terminals make something of. */
const HOSTILE =
  '"&calc&" \'|id #;`id` $(id) %COMSPEC% ^& <a> *?[] ~ \\\\evil\\share --help\n\r\t\u0000\u001b]0;x\u0007\u2028é'

/** The parts of the address that a server decides, with hostile text in each. */
const PARTS: readonly {
  readonly part: string
  readonly script: Script
  readonly scope?: string
}[] = [
  {
    part: 'the path and the query of the page',
    script: {
      metadata: { authorization_endpoint: `http://127.0.0.1:9/a'b"c/$(id)?x=${HOSTILE}` },
    },
  },
  {
    part: 'the client id',
    script: {
      register: (_request, response) => {
        json(response, { client_id: `client ${HOSTILE}` }, { status: 201 })
        return true
      },
    },
  },
  { part: 'the scopes', script: {}, scope: HOSTILE },
]

describe('A-58: a server decides what page is opened, and nothing else', () => {
  test.each(PARTS)('hostile text in $part stays inside one argument', async ({ script, scope }) => {
    const world = await startWorld({
      script,
      metadata: scope === undefined ? {} : { scopes_supported: [scope] },
    })
    const spawns = watchSpawns()
    const host = startHost(world.mcp.url, spawns.options)
    host.write(initialize(0))
    const link = await host.browser.opened()
    // As the launcher saw it, and as the system was given it.
    expect(host.browser.calls()).toEqual([[link]])
    const file = process.platform === 'darwin' ? 'open' : 'xdg-open'
    expect(spawns.entries()).toEqual([{ file, args: [link], shell: false, by: 'open' }])
    // One word for every shell that some launcher may still be written in, and for a terminal.
    expect(link).toMatch(/^http:\/\/[!$%&'()*+,\-./\w:;=?@[\]^{|}~]+$/)
    expect(link).not.toMatch(/["<>\\`\s]/)
    expect(new URL(link).searchParams.get('code_challenge_method')).toBe('S256')
  })

  test('no program is started but for a sign-in', async () => {
    const world = await startWorld()
    const spawns = watchSpawns()
    const host = startHost(world.mcp.url, { ...spawns.options, args: ['--no-browser'] })
    host.write(initialize(0))
    await until('the address', () => host.stderr().includes('open this address'))
    host.end()
    await host.exit()
    expect(spawns.entries()).toEqual([])
  })
})
