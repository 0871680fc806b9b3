import { isLogLevel, LOG_LEVELS, type LogLevel } from '../vocabulary.ts'
import type { Exchanges } from './exchanges.ts'

/** Whether a message of this level is wanted by somebody who asked for `wanted`. */
export function isLoud(level: unknown, wanted: LogLevel | undefined): boolean {
  if (wanted === undefined) return false
  // A level that nobody defined is nobody's business to hide.
  return !isLogLevel(level) || LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(wanted)
}

/** The most verbose of some levels. */
export function mostVerbose(levels: Iterable<LogLevel | undefined>): LogLevel | undefined {
  const wanted = new Set(levels)
  return LOG_LEVELS.find((level) => wanted.has(level))
}

/** The log level of the session, which the stateless era sets with every request. */
export interface SessionLevel {
  /** Settles when the session has this level, or when the server would not take it. */
  set(level: LogLevel): Promise<void>
}

/** The level of a new session: whatever the server likes. */
export function createSessionLevel(exchanges: Exchanges): SessionLevel {
  let current: LogLevel | undefined
  let setting: Promise<unknown> = Promise.resolve()
  return {
    async set(level) {
      if (level !== current) {
        current = level
        const params = Buffer.from(JSON.stringify({ level }))
        setting = exchanges.ask('logging/setLevel', params).catch(() => {
          // Who asks next tries again.
          if (current === level) current = undefined
        })
      }
      await setting
    },
  }
}
