import type { Writable } from 'node:stream'

/** What a person should know, one line each on stderr. Quiet unless something is wrong. */
export interface Log {
  warn(line: string): void
}

/** Writes to stderr, with the program's name where others write too; control characters of servers never reach a terminal. */
export function createLog(stderr: Writable, prefix = 'bridge: '): Log {
  return {
    warn: (line) => {
      stderr.write(`${prefix}${printable(line)}\n`)
    },
  }
}

/** Text that a server supplied, safe for a terminal: no control characters, no escape sequences. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
}
