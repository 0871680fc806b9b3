import { BridgeError } from '../errors.ts'

const WORD = /\s*((?:'[^']*'|"[^"]*"|[^\s'"])+)/y

/**
 * The words of a command that is run without a shell: a JSON array of strings, or words separated by
 * blanks, where '…' and "…" keep blanks together. Nothing else is special: no backslash (Windows
 * paths have them), no variable, no pattern. Throws `BridgeError` for anything else.
 */
export function commandWords(command: string, source: string): readonly string[] {
  const text = command.trim()
  const words = text.startsWith('[') ? fromJson(text) : fromBlanks(text)
  if (words?.[0] !== undefined && words[0] !== '') return words
  throw new BridgeError('usage', `Not a command (${source}).`, {
    hint: `A program and its words, like ${source} "tool print-token --audience 'my api'", or a JSON array of texts.`,
  })
}

function fromJson(text: string): readonly string[] | undefined {
  try {
    const words: unknown = JSON.parse(text)
    const texts = Array.isArray(words) && words.every((word) => typeof word === 'string')
    return texts ? words : undefined
  } catch {
    return undefined
  }
}

function fromBlanks(text: string): readonly string[] | undefined {
  const words: string[] = []
  WORD.lastIndex = 0
  while (WORD.lastIndex < text.length) {
    const [, word] = WORD.exec(text) ?? []
    // A quote that is not closed.
    if (word === undefined) return undefined
    words.push(word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'))
  }
  return words
}
