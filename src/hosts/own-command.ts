import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { OWN_COMMAND_MS } from '../limits.ts'
import { editorOf, type Plan } from './change.ts'
import { bytesOf, readHostFile } from './file.ts'
import { at, type Json } from './json-value.ts'
import type { ChangeKind } from './journal.ts'
import type { Machine } from './machine.ts'

/**
 * Lets a host add an entry by its own command, and looks whether it did. Returns the path of the
 * backup, or `undefined` when the command is not there or did something else.
 */
export async function addByOwnCommand(
  words: readonly string[],
  { host, file, text, entries }: Plan,
  { journal, system }: Machine,
  why: { readonly kind: ChangeKind; readonly run: string },
): Promise<string | undefined> {
  // On Windows it is a batch file, which mangles JSON among its words.
  if (system.platform === 'win32') return undefined
  const [name, ...args] = words
  const program = findProgram(name!, system.env['PATH'] ?? '')
  if (program === undefined || !(await run(program, args, system.env))) return undefined
  const now = await readHostFile(file.path)
  const { path } = entries[0]!
  const editor = editorOf(host, file.path)
  const launchIn = (content: string): unknown =>
    host.shape.read((at(editor.read(content), path) ?? null) as Json)
  if (now.seen === undefined || !isDeepStrictEqual(launchIn(now.text), launchIn(text))) {
    return undefined
  }
  const change = {
    ...why,
    host: host.id,
    file: file.path,
    existed: file.seen !== undefined,
    // What the host has written besides is not ours to undo: only the entry is.
    after: null,
    entries: [{ path, before: null, after: editor.source(now.text, path) ?? null }],
  }
  const { backup } = await journal.keep(change, bytesOf(file, file.text).toString('utf8'))
  return backup
}

function findProgram(name: string, path: string): string | undefined {
  const candidates = path.split(delimiter).map((folder) => join(folder, name))
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Whether a command ends well. What it says is not shown: the change is. */
function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: 'ignore', timeout: OWN_COMMAND_MS })
    child.once('error', () => resolve(false))
    child.once('close', (code) => resolve(code === 0))
  })
}
