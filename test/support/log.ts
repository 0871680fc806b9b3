import type { Log, StateChange } from '../../src/log.ts'

/** A log that keeps what it is told. */
export interface KeptLog extends Log {
  readonly lines: string[]
  readonly changes: StateChange[]
}

export function keptLog(): KeptLog {
  const lines: string[] = []
  const changes: StateChange[] = []
  return {
    lines,
    changes,
    warn: (line) => void lines.push(line),
    state: (change) => void changes.push(change),
  }
}
