import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { startWorld, type WorldOptions } from '../../auth/world.ts'
import { initialize } from '../../support/bridge.ts'
import { json } from '../../support/http-server.ts'
import type { Attack, Group } from '../attack.ts'
import { check, getsNothing, settle, waitFor } from '../session.ts'

/** What shells, `cmd.exe`, PowerShell, launchers and terminals make something of. */
const hostile = (mark: string): string =>
  `"&calc&" '|id #;touch ${mark};\`touch ${mark}\` $(touch ${mark}) %COMSPEC% ^& <a> *?[] ~ \\\\evil\\x --help\n\r\t\u0000\u001b]0;x\u0007\u2028é`

/** The parts of the address that a server decides. */
const PARTS: readonly { name: string; attack: string; world: (mark: string) => WorldOptions }[] = [
  {
    name: 'hostile-path-and-query',
    attack: 'The path and the query of the page carry what shells execute.',
    world: (mark) => ({
      script: {
        metadata: {
          authorization_endpoint: `http://127.0.0.1:9/a'b"c/$(touch ${mark})?x=${hostile(mark)}`,
        },
      },
    }),
  },
  {
    name: 'hostile-client-id',
    attack: 'The client id that the registration gives carries what shells execute.',
    world: (mark) => ({
      script: {
        register: ({ message }, response) => {
          const asked = message as { redirect_uris?: string[] } | undefined
          const client_id = `client ${hostile(mark)}`
          json(response, { ...asked, client_id }, { status: 201 })
          return true
        },
      },
    }),
  },
  {
    name: 'hostile-scopes',
    attack: 'The scopes that the server wants carry what shells execute.',
    world: (mark) => ({ metadata: { scopes_supported: [hostile(mark)] } }),
  },
]

const parts: readonly Attack[] = PARTS.map(({ name, attack, world: options }) => ({
  name,
  attack,
  expectation:
    'One argument reaches the launcher, an address of http(s) without a character that a shell knows; nothing else is executed.',
  async run(stage) {
    const folder = mkdtempSync(join(tmpdir(), 'attack-mark-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const mark = join(folder, 'executed')
    const world = await startWorld(options(mark))
    const program = stage.start(world.mcp.url)
    program.write(initialize(0))
    await waitFor(
      'a page or the end',
      () => program.links().length > 0 || program.answers(0).length > 0 || program.hasEnded(),
    )
    await settle(200)
    for (const call of program.browser.calls()) {
      check(call.length === 1, `the launcher got ${call.length} arguments`)
      check(/^https?:\/\/[!$%&'()*+,\-./\w:;=?@[\]^{|}~]+$/.test(call[0]!), `it got ${call[0]}`)
    }
    check(!existsSync(mark), 'a command was executed')
  },
}))

/** Addresses that no program may be started with. */
const ENDPOINTS = [
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'ms-msdt:/id PCWDiagnostic',
  'search-ms:query=x&crumb=location:\\\\evil\\share',
  'smb://evil/share',
  'vbscript:msgbox(1)',
  '\tjava\nscript:alert(1)',
  'view-source:https://evil.example',
  'https:',
  'http://evil.example/authorize',
  'https://accounts.example@127.0.0.1:9/',
  '--version',
  '/etc/passwd',
  '\\\\evil\\share\\a.exe',
  'calc.exe',
  '',
]

const endpoints: readonly Attack[] = ENDPOINTS.map((endpoint, index) => ({
  name: `hostile-page-${index + 1}`,
  attack: `The page for the person is ${JSON.stringify(endpoint).replaceAll('"', '`')}.`,
  expectation: 'Nothing is opened; the first request ends with an error or the program does.',
  async run(stage) {
    const world = await startWorld({ script: { metadata: { authorization_endpoint: endpoint } } })
    const program = stage.start(world.mcp.url)
    program.write(initialize(0))
    const opened = (): readonly string[] => program.browser.calls()[0] ?? []
    await waitFor(
      'a page or the end',
      () => opened().length > 0 || program.answers(0).length > 0 || program.hasEnded(),
      { seen: program.stderr },
    )
    check(opened().length === 0, `it opened ${opened().join(' ')}`)
    await getsNothing(program)
  },
}))

const many: readonly Attack[] = [
  {
    name: 'scope-bomb',
    attack: 'A server wants fifty thousand scopes, more than an argument or an address can hold.',
    expectation: 'The request ends or the person gets an address; the program does not crash.',
    async run(stage) {
      const scopes_supported = Array.from({ length: 50_000 }, (_, n) => `scope-${n}`)
      const world = await startWorld({ metadata: { scopes_supported } })
      const program = stage.start(world.mcp.url)
      program.write(initialize(0))
      await waitFor(
        'an address or the end',
        () => program.links().length > 0 || program.answers(0).length > 0 || program.hasEnded(),
        { seen: program.stderr },
      )
      await settle(500)
      check(!/^ {4}at /m.test(program.stderr()), 'it crashed')
    },
    bounds: { memoryMiB: 256, stderrKiB: 2_048, seconds: 30 },
  },
  {
    name: 'many-pages',
    attack: 'A server refuses every request of a host that sends twenty at once.',
    expectation: 'One page is opened.',
    async run(stage) {
      const world = await startWorld()
      const program = stage.start(world.mcp.url)
      program.write(initialize(0))
      await program.link()
      for (let id = 1; id <= 20; id++) {
        program.write({ jsonrpc: '2.0', id, method: 'tools/list', params: {} })
      }
      await settle(1_000)
      const pages = program.browser.calls().length
      check(pages <= 1, `${pages} pages were opened`)
    },
  },
]

/** What a hostile server makes a program start. */
export const opened: Group = {
  title: 'What is opened',
  attacks: [...parts, ...endpoints, ...many],
}
