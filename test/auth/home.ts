import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { removeHome } from '../support/last-signal.ts'

/** An empty folder for `BRIDGE_HOME` that several bridges of one test share. */
export function homeFolder(): string {
  const home = mkdtempSync(join(tmpdir(), 'bridge-home-'))
  onTestFinished(() => removeHome(home))
  return home
}

/** Where the credentials of a home are. */
export function credentialsFolder(home: string): string {
  return join(home, 'data', 'credentials')
}

/** The one file of stored credentials. */
export function storedFile(home: string): string {
  const folder = credentialsFolder(home)
  const [name, ...more] = readdirSync(folder).filter((entry) => entry.endsWith('.json'))
  if (name === undefined || more.length > 0) throw new Error(`not one file in ${folder}`)
  return join(folder, name)
}

/** What is stored, as JSON. */
export function stored(home: string): Record<string, unknown> {
  return JSON.parse(readFileSync(storedFile(home), 'utf8')) as Record<string, unknown>
}

/** Changes what is stored behind the back of the bridge. */
export function editStored(home: string, change: (text: string) => string): void {
  const file = storedFile(home)
  writeFileSync(file, change(readFileSync(file, 'utf8')))
}
