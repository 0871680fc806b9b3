import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { LAUNCHERS } from '../support/browser.ts'
import { initialize } from '../support/bridge.ts'
import { until } from '../support/until.ts'

/** How a command ended and what it said. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Who sits before a command. */
export type Audience =
  /** Nobody: it ends by itself. */
  | 'nobody'
  /** A host: it begins with `initialize`, and closes stdin when it is answered. */
  | 'a host'
  /** Somebody who has seen enough after the first line. */
  | 'somebody who stops it'

/** A machine where nothing was done before: a new home, an empty folder, and the program on PATH. */
export interface Machine {
  readonly home: string
  readonly folder: string
  /** Puts a file where `~` or a relative path says. */
  put(path: string, content: string): void
  /** Runs a line in a shell. A link that is printed for a sign-in is followed, as a person does. */
  run(line: string, audience: Audience): Promise<Ran>
}

/** What npx does with the packages that documents name, without a registry. */
const NPX = `#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    -y) shift ;;
    -p) shift 2 ;;
    bridge | mcp-bridge | mcp-bridge@*) shift; exec bridge "$@" ;;
    *) echo "npx: there is no $1 here" >&2; exit 127 ;;
  esac
done
`

/** Makes such a machine for the packed program; it is gone after the test. */
export function newMachine(bin: string, env: NodeJS.ProcessEnv = {}): Machine {
  const base = mkdtempSync(join(tmpdir(), 'bridge-machine-'))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  const [home, folder, programs] = ['home', 'folder', 'programs'].map((name) => join(base, name))
  for (const path of [home, folder, programs]) mkdirSync(path!)
  const bridge = `#!/bin/sh\nexec node '${bin}' "$@"\n`
  const scripts = { bridge, 'mcp-bridge': bridge, npx: NPX }
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(programs!, name), text)
    chmodSync(join(programs!, name), 0o755)
  }
  symlinkSync(process.execPath, join(programs!, 'node'))
  const world: NodeJS.ProcessEnv = {
    HOME: home,
    USER: 'ada',
    SHELL: '/bin/sh',
    TERM: 'dumb',
    DISPLAY: ':99',
    // No browser shows anything: the person follows the printed link.
    PATH: [programs, LAUNCHERS, '/usr/bin', '/bin'].join(delimiter),
    ...env,
  }
  return {
    home: home!,
    folder: folder!,
    put(path, content) {
      const file = path.startsWith('~/') ? join(home!, path.slice(2)) : join(folder!, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content, { mode: 0o600 })
    },
    run: (line, audience) => run(line, audience, folder!, world),
  }
}

/** Follows the link of a sign-in; the indented address on stderr, with or without our name before it. */
const LINK = /^(?:bridge:)? +(https?:\S+)$/m

async function run(
  line: string,
  audience: Audience,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<Ran> {
  const child = spawn('bash', ['-c', line], { cwd, env, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  let ended: Ran | undefined
  let visited = false
  child.stdin.on('error', () => {}) // it may be gone already
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    const link = LINK.exec(stderr)?.[1]
    if (link === undefined || visited) return
    visited = true
    void visit(link)
  })
  child.on('close', (code) => {
    ended = { code, stdout, stderr }
  })
  onTestFinished(() => void (ended === undefined && child.kill('SIGKILL')))
  const seen = (): string => stdout + stderr
  if (audience === 'a host') {
    child.stdin.write(`${JSON.stringify(initialize(0))}\n`)
    await until(`an answer for a host of ${line}`, () => ended ?? stdout.includes('\n'), { seen })
  }
  if (audience === 'somebody who stops it') {
    await until(`a line of ${line}`, () => ended ?? stdout.includes('\n'), { seen })
    child.kill('SIGINT')
  }
  child.stdin.end()
  return until(`the end of ${line}`, () => ended, { seen })
}
