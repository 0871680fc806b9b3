import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { visit } from '../../auth/browser-stub.ts'
import { startWorld, type World } from '../../auth/world.ts'
import { initialize } from '../../support/bridge.ts'
import { startMcpServer } from '../../support/mcp-server.ts'
import { type Attack, DoesNotApply, type Group, PATIENT, type Stage } from '../attack.ts'
import type { Program, StartOptions } from '../program.ts'
import { check, open, settle } from '../session.ts'
import { signIn } from '../sign-in.ts'

const TOKEN = /(?:access|refresh)-\d+-[0-9a-f]{24}/

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'attack-disk-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** The files below a folder, links not followed. */
function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Whether others can read a file: its mode and those of the folders up to the home decide. */
function isOpen(file: string, home: string): boolean {
  if ((statSync(file).mode & 0o077) === 0) return false
  for (
    let above = dirname(file);
    above.startsWith(home) && above !== home;
    above = dirname(above)
  ) {
    if ((statSync(above).mode & 0o077) === 0) return false
  }
  return true
}

/** A home with a sign-in in it, and the file that holds the token. */
interface Signed {
  readonly world: World
  readonly home: string
  readonly file: string
}

async function signedHome(stage: Stage): Promise<Signed> {
  const world = await startWorld()
  const home = folder()
  const program = await signIn(stage, world, { home })
  await settle(200) // a program may write after it has answered
  await leave(program)
  const file = filesBelow(home).find((path) => TOKEN.test(readFileSync(path, 'utf8')))
  if (file === undefined) throw new DoesNotApply('it keeps no token in a file')
  return { world, home, file }
}

async function leave(program: Program): Promise<void> {
  program.end()
  await program.exit(3_000).catch(() => program.kill())
}

/** Starts again; a person signs in as often as is asked. Gives how it went. */
async function again(
  stage: Stage,
  { world, home }: Signed,
  options: StartOptions = {},
): Promise<'result' | 'error' | 'exit'> {
  const program = stage.start(world.mcp.url, { home, ...options })
  program.write(initialize(0))
  const early = await Promise.race([program.link(), program.ending(0)])
  if (early.startsWith('http')) await visit(early).catch(() => {})
  const ending = await program.ending(0)
  await settle(200)
  await leave(program)
  return ending
}

/** What is done to the file that holds the token, and what must not happen. */
const PLANTED: readonly {
  name: string
  attack: string
  plant: (signed: Signed, target: string) => void
}[] = [
  {
    name: 'link-in-place-of-the-file',
    attack: 'The file of the tokens is replaced by a symbolic link to a file of somebody else.',
    plant({ file }, target) {
      rmSync(file)
      writeFileSync(join(target, 'victim'), 'of somebody else')
      symlinkSync(join(target, 'victim'), file)
    },
  },
  {
    name: 'link-in-place-of-the-folder',
    attack: 'The folder of the tokens is replaced by a symbolic link to a folder of somebody else.',
    plant({ file }, target) {
      rmSync(dirname(file), { recursive: true })
      symlinkSync(target, dirname(file))
    },
  },
]

const planted: readonly Attack[] = PLANTED.map(({ name, attack, plant }) => ({
  name,
  attack,
  expectation: 'No token is written through the link; what was behind it is as before.',
  async run(stage) {
    const signed = await signedHome(stage)
    const target = folder()
    chmodSync(target, 0o777)
    plant(signed, target)
    const before = filesBelow(target).map((file) => readFileSync(file, 'utf8'))
    await again(stage, signed)
    const after = filesBelow(target).map((file) => readFileSync(file, 'utf8'))
    check(!after.some((text) => TOKEN.test(text)), 'a token was written there')
    check(
      before.every((text) => after.includes(text)),
      'what was there was overwritten',
    )
  },
}))

const modes: readonly Attack[] = [
  {
    name: 'umask-000',
    attack: 'The program is started with umask 000.',
    expectation: 'No file that others can read has a token, verifier or secret, at any moment.',
    async run(stage) {
      const world = await startWorld()
      const home = folder()
      const temporary = join(home, 'tmp')
      mkdirSync(temporary)
      const env = { TMPDIR: temporary }
      const program = stage.start(world.mcp.url, { home, env, before: 'umask 000' })
      program.write(initialize(0))
      const link = await program.link()
      const exposed = (): string[] => filesBelow(home).filter((file) => isOpen(file, home))
      const early = exposed().filter((file) => /verifier/i.test(file + readFileSync(file, 'utf8')))
      check(early.length === 0, `while the person signs in, others can read ${early.join(', ')}`)
      await visit(link)
      if ((await program.ending(0)) !== 'result') throw new DoesNotApply('it cannot sign in')
      await settle(300)
      const late = exposed().filter((file) => TOKEN.test(readFileSync(file, 'utf8')))
      check(late.length === 0, `others can read ${late.join(', ')}`)
    },
  },
  {
    name: 'folder-open-to-everybody',
    attack: 'The folder of the tokens was there before, open to everybody.',
    expectation: 'It is closed, or the files in it are, or no token is put there.',
    async run(stage) {
      const signed = await signedHome(stage)
      const at = dirname(signed.file)
      rmSync(at, { recursive: true })
      mkdirSync(at, { recursive: true })
      for (let up = at; up.startsWith(signed.home) && up !== signed.home; up = dirname(up)) {
        chmodSync(up, 0o777)
      }
      await again(stage, signed)
      const exposed = filesBelow(signed.home).filter(
        (file) => TOKEN.test(readFileSync(file, 'utf8')) && isOpen(file, signed.home),
      )
      check(exposed.length === 0, `others can read ${exposed.join(', ')}`)
      // Who may write into a folder may put other files in the place of ours.
      const kept = filesBelow(at).some((file) => TOKEN.test(readFileSync(file, 'utf8')))
      check(!kept || (statSync(at).mode & 0o022) === 0, 'others can write into the folder')
    },
  },
  {
    name: 'file-open-to-everybody',
    attack: 'The file of the tokens was there before, empty and open to everybody.',
    expectation: 'It is closed before a token is in it, or has none.',
    async run(stage) {
      const signed = await signedHome(stage)
      chmodSync(dirname(signed.file), 0o755)
      writeFileSync(signed.file, '')
      chmodSync(signed.file, 0o666)
      await again(stage, signed)
      const exposed = filesBelow(signed.home).filter(
        (file) => TOKEN.test(readFileSync(file, 'utf8')) && (statSync(file).mode & 0o077) !== 0,
      )
      check(exposed.length === 0, `others can read ${exposed.join(', ')}`)
    },
  },
  {
    name: 'tokens-of-another-user',
    attack: 'The stored tokens belong to another user of the machine.',
    expectation: 'They are neither sent nor overwritten.',
    async run(stage) {
      const signed = await signedHome(stage)
      const before = readFileSync(signed.file, 'utf8')
      const { length } = signed.world.mcp.seen
      const name = '../../support/preload/hostile-owner.cjs'
      await again(stage, signed, { preload: fileURLToPath(new URL(name, import.meta.url)) })
      const old = TOKEN.exec(before)?.[0] ?? '-'
      const sent = signed.world.mcp.seen
        .slice(length)
        .some(({ headers }) => headers.authorization?.includes(old))
      check(!sent, 'they were sent')
      check(readFileSync(signed.file, 'utf8') === before, 'they were overwritten')
    },
  },
  {
    name: 'home-that-cannot-be-written',
    attack: 'There is no folder in which anything could be kept.',
    expectation: 'The program signs in without keeping it, or says that it cannot; no hang.',
    async run(stage) {
      const world = await startWorld()
      const signed = { world, home: '/dev/null/none', file: '' }
      await again(stage, signed)
    },
  },
]

/** What can have become of the stored files. */
const DAMAGES: Readonly<Record<string, string>> = {
  empty: '',
  'half-a-file': '{"layout":1,"server":"http',
  zeros: '\0'.repeat(4096),
  deep: '['.repeat(100_000),
  'a-poisoned-prototype': '{"layout":1,"__proto__":{"current":"x"},"issuers":{}}',
  'a-number': '7',
}

const damaged: readonly Attack[] = Object.entries(DAMAGES).map(([name, content]) => ({
  name: `store-damaged-by-${name}`,
  attack: `All stored files are replaced by ${name.replaceAll('-', ' ')}.`,
  expectation: 'The person can sign in again, and stays signed in at the start after that.',
  async run(stage) {
    const signed = await signedHome(stage)
    for (const file of filesBelow(signed.home)) writeFileSync(file, content)
    check((await again(stage, signed)) === 'result', 'no sign-in any more')
    const pages = signed.world.authority.authorizations.length
    check((await again(stage, signed)) === 'result', 'no session at the next start')
    check(signed.world.authority.authorizations.length === pages, 'another page at the next start')
  },
}))

const others: readonly Attack[] = [
  {
    name: 'stored-token-of-two-lines',
    attack: 'The stored access token is replaced by one with CR, LF and another header.',
    expectation: 'No such header is sent, and no part of that token.',
    async run(stage) {
      const signed = await signedHome(stage)
      const text = readFileSync(signed.file, 'utf8')
      const token = /access-\d+-[0-9a-f]{24}/.exec(text)?.[0] ?? ''
      writeFileSync(signed.file, text.replaceAll(token, 'a\\r\\nX-Evil: 1'))
      await again(stage, signed)
      check(!signed.world.mcp.seen.some(({ headers }) => 'x-evil' in headers), 'it was sent')
    },
  },
  {
    name: 'killed-during-a-sign-in',
    attack: 'A process was killed while its person signed in: its locks and files are stale.',
    expectation: 'The next one asks the person within 25 s, and signs in.',
    bounds: PATIENT,
    async run(stage) {
      const world = await startWorld()
      const first = stage.start(world.mcp.url)
      first.write(initialize(0))
      await first.link()
      await first.kill()
      await first.exit()
      const second = stage.start(world.mcp.url, { home: first.home })
      second.write(initialize(0))
      const started = Date.now()
      while (second.links().length === 0 && Date.now() - started < 25_000) await settle(50)
      check(second.links().length > 0, 'no page within 25 s')
      await visit(await second.link())
      check((await second.ending(0)) === 'result', 'no result')
    },
  },
  {
    name: 'hostile-working-folder',
    attack: 'The host starts the program in a folder full of what tools read from there.',
    expectation: 'Nothing of it is executed or read.',
    async run(stage) {
      const cwd = folder()
      const mark = join(cwd, 'executed')
      const evil = `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '1')`
      for (const name of ['open', 'undici', 'express', 'mcp-bridge', 'dotenv']) {
        mkdirSync(join(cwd, 'node_modules', name), { recursive: true })
        writeFileSync(join(cwd, 'node_modules', name, 'index.js'), evil)
      }
      for (const name of ['xdg-open', 'node', 'bridge']) {
        writeFileSync(join(cwd, name), `#!/bin/sh\ntouch '${mark}'\n`, { mode: 0o755 })
      }
      writeFileSync(join(cwd, 'index.js'), evil)
      writeFileSync(
        join(cwd, '.env'),
        'HTTPS_PROXY=http://127.0.0.1:9\nHTTP_PROXY=http://127.0.0.1:9\n',
      )
      const server = await startMcpServer()
      const program = await open(stage, server.url, { cwd })
      await leave(program)
      check(!filesBelow(cwd).includes(mark), 'a program of it was executed')
    },
  },
]

/** Other users and programs of the same machine, and what a crash leaves behind. */
export const disk: Group = {
  title: 'Files',
  attacks: [...planted, ...modes, ...damaged, ...others],
}
