import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BridgeError } from '../errors.ts'
import { items, locate, valueAt } from '../json/locate.ts'

/** Where what is printed goes. */
export interface Outlet {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** The folder for binary content; `undefined`: it is only mentioned. */
  readonly folder: string | undefined
}

/** Text of a server, safe for a terminal: no escape sequences; line breaks and tabs stay. */
export function shownText(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, ' ')
}

/** The extension of a media type that the file is saved under. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/svg+xml': 'svg',
  'audio/wav': 'wav',
  'audio/mpeg': 'mp3',
  'application/pdf': 'pdf',
}

/** Prints a CallToolResult for a person (MCP 2025-11-25, server/tools, Tool Result). */
export async function printToolResult(result: Buffer, outlet: Outlet): Promise<void> {
  const content = locate(result, 'content')
  const blocks = content === undefined ? [] : [...items(result, content)]
  let texts = 0
  for (const [index, { start, end }] of blocks.entries()) {
    const block = result.subarray(start, end)
    if (valueAt(block, 'type') === 'text') texts++
    await printBlock(block, index + 1, outlet)
  }
  // Servers repeat it as text for hosts that read only that; its own text keeps every digit.
  const structured = locate(result, 'structuredContent')
  if (texts === 0 && structured !== undefined) {
    line(outlet, result.toString('utf8', structured.start, structured.end))
  }
}

/** Prints a ReadResourceResult. */
export async function printContents(result: Buffer, outlet: Outlet): Promise<void> {
  const contents = locate(result, 'contents')
  const all = contents === undefined ? [] : [...items(result, contents)]
  for (const [index, { start, end }] of all.entries()) {
    await printResource(result.subarray(start, end), index + 1, outlet)
  }
}

async function printBlock(block: Buffer, number: number, outlet: Outlet): Promise<void> {
  const word = (name: string): string => asText(valueAt(block, name))
  switch (word('type')) {
    case 'text':
      line(outlet, word('text'))
      return
    case 'image':
    case 'audio':
      await binary(word('data'), word('mimeType'), number, outlet)
      return
    case 'resource_link':
      line(outlet, [`[${word('name')}]`, word('uri'), word('mimeType')].join(' ').trimEnd())
      return
    case 'resource': {
      const span = locate(block, 'resource')
      if (span !== undefined) {
        await printResource(block.subarray(span.start, span.end), number, outlet)
      }
      return
    }
    default:
      line(outlet, block.toString('utf8'))
  }
}

async function printResource(resource: Buffer, number: number, outlet: Outlet): Promise<void> {
  const text = valueAt(resource, 'text')
  if (typeof text === 'string') line(outlet, text)
  else {
    const type = asText(valueAt(resource, 'mimeType'))
    await binary(asText(valueAt(resource, 'blob')), type, number, outlet)
  }
}

async function binary(base64: string, type: string, number: number, outlet: Outlet): Promise<void> {
  const bytes = Buffer.from(base64, 'base64')
  const what = `${type === '' ? 'binary content' : type}, ${bytes.length} bytes`
  if (outlet.folder === undefined) {
    line(outlet, `[${what}; --save <folder> writes it to a file]`)
    return
  }
  const file = join(outlet.folder, `content-${number}.${EXTENSIONS[type] ?? 'bin'}`)
  try {
    await mkdir(outlet.folder, { recursive: true })
    await writeFile(file, bytes, { flag: 'wx' })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? 'it is there already' : code
    throw new BridgeError('usage', `Cannot write ${file} (${why}).`, { cause })
  }
  line(outlet, `[${what}: ${file}]`)
}

/** A terminal gets text that cannot command it; a file or pipe gets what the server sent. */
function line({ stdout }: Outlet, text: string): void {
  stdout.write(`${stdout.isTTY === true ? shownText(text) : text}\n`)
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
