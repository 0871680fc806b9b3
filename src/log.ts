import type { Writable } from 'node:stream'

/** What a person should know, one line each on stderr. Quiet unless something is wrong. */
export interface Log {
  warn(line: string): void
}

/** Writes to stderr; control characters of servers never reach a terminal. */
export function createLog(stderr: Writable): Log {
  return {
    warn: (line) => {
      stderr.write(`bridge: ${printable(line)}\n`)
    },
  }
}

/** Text that a server supplied, safe for a terminal: no control characters, no escape sequences. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
}
