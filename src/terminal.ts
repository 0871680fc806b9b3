/** Makes text stand out, or leaves it as it is where nobody would see it. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

/** What is asked of a stream: standard output and error of a process have it. */
export interface TerminalStream {
  readonly isTTY?: boolean
  readonly columns?: number
}

/** SGR parameters that begin and end a style (ECMA-48 §8.3.117). */
const STYLES: Readonly<Record<keyof Paint, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
}

/**
 * Whether to colour what goes to a stream. `--no-color` wins, then `FORCE_COLOR` (`0` and `false`
 * switch off, as Node reads it), then a `NO_COLOR` that is not empty (no-color.org), then whether the
 * stream is a terminal that is not `dumb`.
 */
export function isColored(
  stream: TerminalStream,
  env: NodeJS.ProcessEnv,
  noColor = false,
): boolean {
  if (noColor) return false
  const force = env['FORCE_COLOR']
  if (force !== undefined) return force !== '0' && force !== 'false'
  const refused = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== ''
  return !refused && stream.isTTY === true && env['TERM'] !== 'dumb'
}

/** The styles for one stream. Text of a server goes through `printable` (src/log.ts) first. */
export function createPaint(
  stream: TerminalStream,
  env: NodeJS.ProcessEnv,
  noColor = false,
): Paint {
  const colored = isColored(stream, env, noColor)
  const style = (name: keyof Paint) => {
    const [on, off] = STYLES[name]
    return (text: string): string =>
      colored && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text
  }
  return {
    bold: style('bold'),
    dim: style('dim'),
    red: style('red'),
    green: style('green'),
    yellow: style('yellow'),
    cyan: style('cyan'),
  }
}

/** Columns of a terminal; what is not one has no limit worth keeping to, and gets `otherwise`. */
export function columnsOf(stream: TerminalStream, otherwise: number): number {
  return stream.isTTY === true && stream.columns !== undefined && stream.columns > 0
    ? stream.columns
    : otherwise
}
