import { commandWords } from '../../src/auth/words.ts'
import type { Block } from './documents.ts'

/** A line of a document that is meant to be typed. */
export interface Typed {
  /** Where it stands: path and line of its block. */
  readonly where: string
  readonly line: string
  /** What the document shows as its output; `undefined` when it shows nothing. */
  readonly shows: string | undefined
}

/** The languages of blocks that hold commands. `console` has them behind `$`, with what they print. */
const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'console'])

/** Whether a block holds commands. */
export function isShell({ language }: Block): boolean {
  return SHELLS.has(language)
}

/** The commands of a block, with lines that end in a backslash joined and comments left out. */
export function commandsOf(block: Block): Typed[] {
  const where = `${block.path}:${block.line}`
  const text = block.text.replaceAll(/\\\n\s*/g, '')
  if (block.language !== 'console') {
    return text
      .split('\n')
      .map(withoutComment)
      .filter((line) => line !== '')
      .map((line) => ({ where, line, shows: undefined }))
  }
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n')
      return { where, line: withoutComment(part.slice(0, end)), shows: part.slice(end + 1) }
    })
}

function withoutComment(line: string): string {
  return line.replace(/(?:^|\s+)#(?:\s.*)?$/, '').trim()
}

/** The words behind the name of this program, however a line starts it; `undefined` for another one. */
export function argumentsOf(line: string): readonly string[] | undefined {
  const [program, ...rest] = wordsOf(line)
  if (program === 'bridge' || program === 'mcp-bridge') return rest
  if (program !== 'npx') return undefined
  let at = 0
  for (; rest[at]?.startsWith('-') === true; at++) if (rest[at] === '-p') at++
  return /^(?:mcp-bridge(?:@\S+)?|bridge)$/.test(rest[at] ?? '') ? rest.slice(at + 1) : undefined
}

/** The words of the first command of a line. */
function wordsOf(line: string): readonly string[] {
  const [first = ''] = line.split(/ (?:&&|\||>) /, 1)
  return commandWords(first, line)
}
