import { describe, expect, inject, test } from 'vitest'
import { readCommandLine } from '../../src/arguments.ts'
import { startWorld } from '../auth/world.ts'
import { argumentsOf, commandsOf, isShell } from '../docs/commands.ts'
import { type Block, blocksOf, DOCUMENTS } from '../docs/documents.ts'
import { type Audience, newMachine, type Ran } from '../docs/machine.ts'
import { startNotesServer } from '../docs/notes-server.ts'
import type { Message } from '../support/bridge.ts'

/** A text of a document with a real server in the place of that at example.com. */
const at = (origin: string, text: string): string =>
  text
    .replaceAll(/https:\/\/(?:[\w-]+\.)?example\.com(?=\/)/g, origin)
    .replaceAll(/\bexample\.com\b/g, new URL(origin).host)

/** Each command is a process; the README has two dozen. */
const PATIENCE_MS = 240_000

/** Commands that need a server with a sign-in to be worth anything. */
const OF_SIGN_INS = new Set(['login', 'logout', 'token', 'status'])

/** What is there before the commands of a document, for those that need something. */
const MACHINES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    // `migrate` finds somebody who uses mcp-remote.
    '~/.cursor/mcp.json': JSON.stringify({
      mcpServers: { old: { command: 'npx', args: ['-y', 'mcp-remote', 'https://a.example/mcp'] } },
    }),
    headers: 'X-Api-Key: s3cret\n',
  },
}

const commandOf = (line: string): string | undefined => {
  const args = argumentsOf(line)
  return args === undefined ? undefined : (readCommandLine(args).command ?? 'relay')
}

const signsIn = (block: Block): boolean =>
  commandsOf(block).some(({ line }) => OF_SIGN_INS.has(commandOf(line) ?? ''))

function audienceOf(line: string): Audience {
  if (commandOf(line) === 'relay' && !/ --(?:help|version)\b/.test(line)) return 'a host'
  return line.includes(' --follow') ? 'somebody who stops it' : 'nobody'
}

/** Whether what was printed is what a document shows, where … stands for anything. */
function isShown(printed: string, shows: string): boolean {
  const pattern = shows
    .trim()
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('[^]*?')
  return new RegExp(`^${pattern}$`).test(printed.trim())
}

/** What a document says about the end of a command. */
interface Expected {
  readonly audience: Audience
  /** What is printed; `undefined` when that is not shown. */
  readonly shows: string | undefined
  /** Whether the document shows the exit code itself, in the next line. */
  readonly tellsCode: boolean
}

/** What is wrong with the end of a command; `undefined` when it did what its document says. */
function fault(expected: Expected, { code, stdout, stderr }: Ran): string | undefined {
  const { audience, shows, tellsCode } = expected
  // Who is stopped ends by a signal (docs/errors.md).
  const wanted = audience === 'somebody who stops it' ? 130 : 0
  if (code !== wanted && !tellsCode) return `ended with ${code}: ${stderr}`
  if (shows !== undefined && !isShown(stdout + stderr, shows)) return `printed ${stdout}${stderr}`
  if (audience !== 'a host') return undefined
  const answered = (JSON.parse(stdout) as Message).result?.['serverInfo'] !== undefined
  return answered ? undefined : `answered ${stdout}`
}

const documents = DOCUMENTS.map(({ path, ...rest }) => ({
  path,
  blocks: blocksOf({ path, ...rest }).filter(
    (block) => isShell(block) && block.marker === undefined,
  ),
})).filter(({ blocks }) => blocks.length > 0)

describe.each(documents)('$path', ({ path, blocks }) => {
  test('its commands do what it says, one after the other', { timeout: PATIENCE_MS }, async () => {
    const notes = await startNotesServer()
    const world = await startWorld()
    const machine = newMachine(inject('bin'))
    for (const [file, content] of Object.entries(MACHINES[path] ?? {})) machine.put(file, content)
    const faults: string[] = []
    let code: number | null = 0
    for (const block of blocks) {
      const { origin } = signsIn(block) ? world.mcp : notes
      const commands = commandsOf(block)
      for (const [index, typed] of commands.entries()) {
        const line = at(origin, typed.line)
        const audience = audienceOf(line)
        const shows = typed.shows === undefined ? undefined : at(origin, typed.shows)
        const tellsCode = commands[index + 1]?.line === 'echo $?'
        const ran: Ran =
          line === 'echo $?'
            ? { code: 0, stdout: String(code), stderr: '' }
            : await machine.run(line, audience)
        ;({ code } = ran)
        const wrong = fault({ audience, shows, tellsCode }, ran)
        if (wrong !== undefined) faults.push(`${typed.where}: ${line}: ${wrong}`)
      }
    }
    expect(faults).toEqual([])
  })
})

test('documents with commands are seen by this test', () => {
  const paths = documents.map(({ path }) => path)
  expect(paths).toEqual(expect.arrayContaining(['README.md', 'docs/commands.md', 'docs/errors.md']))
})
