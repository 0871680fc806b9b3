import type { Writable } from 'node:stream'
import { LOG_WINDOW_MS, MAX_LOG_LINES } from './limits.ts'

/** What a person should know, one line each on stderr. Quiet unless something is wrong. */
export interface Log {
  warn(line: string): void
  /** A change of the link's state: for the debug trace and the status, never for stderr. */
  state(change: StateChange): void
}

/** What happened to a part of the link, and what belongs to it; never a secret. */
export interface StateChange {
  readonly part: 'transport' | 'session' | 'stream' | 'era' | 'auth' | 'retry' | 'network'
  /** One word or two, the same each time: `opened`, `lost`, `reopened`, `refused`. */
  readonly what: string
  readonly [detail: string]: string | number | boolean | undefined
}

/** Writes to stderr, with the program's name where others write too; control characters of servers never reach a terminal. */
export function createLog(
  stderr: Writable,
  prefix = 'bridge: ',
  onState: Log['state'] = () => {},
): Log {
  return {
    warn: (line) => {
      stderr.write(`${prefix}${printable(line)}\n`)
    },
    state: onState,
  }
}

/** Says no more than a person reads: a server can give reason for a line with every message, for days. */
export function sparing({ warn, state }: Log): Log {
  let begun = 0
  let lines = 0
  return {
    warn(line) {
      const now = Date.now()
      if (now - begun >= LOG_WINDOW_MS) {
        if (lines > MAX_LOG_LINES) warn(`${lines - MAX_LOG_LINES} more lines were left out`)
        begun = now
        lines = 0
      }
      lines++
      if (lines <= MAX_LOG_LINES) warn(line)
      else if (lines === MAX_LOG_LINES + 1) warn('too much to say; more is left out for a minute')
    },
    state,
  }
}

/** For users who want nothing on stderr. */
export const silentLog: Log = { warn: () => {}, state: () => {} }

/** Text that a server supplied, safe for a terminal: no control characters, no escape sequences. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
}
