import { printable } from '../log.ts'
import type { Paint } from '../terminal.ts'
import { type Entry, isFailure, type FrameRecord, type HttpRecord, stateDetails } from './record.ts'
import { bytes, duration } from './units.ts'

/** How a view looks. */
export interface Look {
  readonly paint: Paint
  /** Longest line. */
  readonly columns: number
}

/** From here on an answer is conspicuous: a person notices the wait. */
const SLOW_MS = 1_000

/** What of a message is shown where there is no end of the line to end it. */
const MAX_PREVIEW_CHARS = 400

const SIGN = { host: '→', server: '←', bridge: '↩' } as const

/** The same between the bridge and the server, when what passes there is another message. */
const SERVER_SIGN = { host: '⇥', bridge: '⇥', server: '⇤' } as const

/** One record as a line for people. Nothing of a server reaches the terminal but printable text. */
export function viewOf(entry: Entry, { paint, columns }: Look): string {
  const time = entry.record.at.slice(11, 23)
  const text = describe(entry)
  const failed = isFailure(entry)
  const left = `${time}  ${text.sign}  ${text.main}`
  const room = Math.min(columns - left.length - 2, MAX_PREVIEW_CHARS)
  const rest = room > 8 ? cut(printable(text.rest), room) : ''
  const main = cut(text.main, Math.max(columns - time.length - 5, 8))
  const strong = failed ? paint.red(main) : text.slow ? paint.yellow(main) : main
  const sign = failed ? paint.red(text.sign) : text.paint(paint)(text.sign)
  return `${paint.dim(time)}  ${sign}  ${strong}${rest === '' ? '' : `  ${paint.dim(rest)}`}`
}

interface Described {
  readonly sign: string
  readonly paint: (paint: Paint) => (text: string) => string
  readonly main: string
  readonly rest: string
  readonly slow: boolean
}

function describe({ record, raw }: Entry): Described {
  const plain = { rest: '', slow: false, paint: (paint: Paint) => paint.dim }
  switch (record.type) {
    case 'start': {
      const main = printable(
        `mcp-bridge ${record.version}, Node ${record.node}, ${record.platform}`,
      )
      return { ...plain, sign: '■', main, rest: record.server }
    }
    case 'frame': {
      const paint = record.from === 'host' ? (p: Paint) => p.cyan : (p: Paint) => p.green
      const slow = (record.ms ?? 0) >= SLOW_MS
      const atServer = record.side === 'server'
      const sign = atServer ? SERVER_SIGN[record.from] : SIGN[record.from]
      const main = atServer ? `  ${frameText(record)}` : frameText(record)
      return { sign, paint: atServer ? plain.paint : paint, main, rest: raw ?? '', slow }
    }
    case 'http':
      return {
        ...plain,
        sign: '⇄',
        main: httpText(record),
        rest: record.error ?? '',
        slow: (record.ms ?? 0) >= SLOW_MS,
      }
    case 'state': {
      const main = printable(`${record.part} ${record.what}`)
      const rest = stateDetails(record)
      return { ...plain, sign: '●', paint: (paint) => paint.yellow, main, rest }
    }
    case 'stderr':
      return { ...plain, sign: '!', main: printable(record.line) }
    case 'dropped': {
      const main = `${record.dropped} records are missing: the disk was too slow`
      return { ...plain, sign: '!', main }
    }
  }
}

function frameText({ kind, id, method, ms, size, status, attempt }: FrameRecord): string {
  const what = method ?? (kind === 'response' ? 'answer' : kind)
  const parts = [id === undefined ? what : `${what} #${id}`]
  if (ms !== undefined) parts.push(duration(ms))
  if (status !== undefined && status !== 200) parts.push(`HTTP ${status}`)
  if (attempt !== undefined && attempt > 1) parts.push(`attempt ${attempt}`)
  if (size !== undefined) parts.push(bytes(size))
  return printable(parts.join('  '))
}

function httpText({
  verb,
  url,
  status,
  ms,
  total,
  received,
  stream,
  open,
  to,
}: HttpRecord): string {
  const parts = [`${verb} ${to === 'server' ? pathOf(url) : url}`]
  if (status !== undefined) parts.push(String(status))
  const time = open === true ? ms : total
  if (time !== undefined) parts.push(duration(time))
  if (received !== undefined) parts.push(bytes(received))
  if (stream === 'sse') parts.push(open === true ? 'stream begins' : 'stream ends')
  return printable(parts.join('  '))
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url
}

function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`
}
