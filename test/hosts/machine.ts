import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openJournal } from '../../src/hosts/journal.ts'
import type { Machine } from '../../src/hosts/machine.ts'

/** What a test may say about its machine. */
export interface MachineOptions {
  readonly platform?: NodeJS.Platform
  readonly env?: NodeJS.ProcessEnv
}

/** A machine with an empty home, a project folder in it, and a journal of its own. */
export function testMachine({ platform = 'linux', env = {} }: MachineOptions = {}): Machine {
  const home = mkdtempSync(join(tmpdir(), 'bridge-hosts-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  const cwd = join(home, 'project')
  mkdirSync(cwd)
  const namesIn = (folder: string): string[] => {
    try {
      return readdirSync(folder)
    } catch {
      return []
    }
  }
  return {
    system: { platform, home, cwd, env, namesIn },
    program: { platform, node: '/opt/node/bin/node', script: '/opt/bridge.cjs', npx: undefined },
    journal: openJournal(join(home, 'data')),
  }
}

/** Writes a file with the folders that it needs. */
export function put(path: string, text: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
