import { readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { type Journal, openJournal } from './journal.ts'
import { type Program, thisProgram } from './launch.ts'
import type { System } from './record.ts'

/** What a command that changes hosts works with. */
export interface Machine {
  readonly system: System
  readonly program: Program
  readonly journal: Journal
}

/** The machine that this process runs on. */
export function thisMachine(process: NodeJS.Process, data: string): Machine {
  const { platform, env } = process
  return {
    system: { platform, home: homedir(), cwd: process.cwd(), env, namesIn },
    program: thisProgram(process),
    journal: openJournal(data),
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
