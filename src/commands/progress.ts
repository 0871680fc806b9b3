import type { Frame } from '../frame.ts'
import { slice } from '../frame.ts'
import { valueAt } from '../json/locate.ts'
import { MAX_PROGRESS_CHARS } from '../limits.ts'
import { printable } from '../log.ts'

/** How far a request is, for a person who looks at it. */
export interface Progress {
  /** Shows a `notifications/progress`; anything else is left alone. */
  note(frame: Frame): void
  /** Takes the line away. */
  end(): void
}

/** The token that asks a server for progress. */
export const PROGRESS_TOKEN = 'bridge-progress'

/** One line on a terminal that changes; nothing where stderr is a file, or in CI. */
export function createProgress({ stderr, env }: NodeJS.Process): Progress {
  const shows = stderr.isTTY === true && (env['CI'] ?? '') === '' && env['TERM'] !== 'dumb'
  let shown = false
  return {
    note(frame) {
      if (!shows || frame.method !== 'notifications/progress' || frame.params === undefined) return
      const params = slice(frame.chunks, frame.params)
      if (valueAt(params, 'progressToken') !== PROGRESS_TOKEN) return
      const message = valueAt(params, 'message')
      const words = typeof message === 'string' ? ` ${printable(message)}` : ''
      const line = `${share(params)}${words}`.slice(0, MAX_PROGRESS_CHARS)
      stderr.write(`\r\u001b[K${line}`)
      shown = true
    },
    end() {
      if (shown) stderr.write('\r\u001b[K')
      shown = false
    },
  }
}

function share(params: Buffer): string {
  const progress = valueAt(params, 'progress')
  const total = valueAt(params, 'total')
  if (typeof progress !== 'number') return '…'
  if (typeof total !== 'number' || total <= 0) return String(progress)
  return `${Math.min(100, Math.round((progress / total) * 100))} %`
}
