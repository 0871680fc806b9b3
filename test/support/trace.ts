import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { inject } from 'vitest'

/** A record as tests read it, with the line that it was. */
export type Recorded = Record<string, unknown> & { readonly line: string; readonly raw?: unknown }

/** The files in the folder of traces of a bridge. */
export function traceFiles(home: string): string[] {
  const folder = join(home, 'log')
  return readdirSync(folder).map((name) => join(folder, name))
}

/** The records of a trace file. */
export function recordsIn(path: string): Recorded[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Object.assign(JSON.parse(line) as Record<string, unknown>, { line }))
}

/** The message in a record, as it stands there. */
export function rawOf({ line }: Recorded): string {
  return line.slice(line.indexOf(',"raw":') + ',"raw":'.length, -1)
}

/** What a report shows: it is packed inside. */
export function dataOfReport(html: string): string {
  const packed = /<script id="data" type="application\/json">\s*"([^"]*)"/.exec(html)![1]!
  return gunzipSync(Buffer.from(packed, 'base64')).toString('utf8')
}

/** Runs a command of the packed program to its end. */
export function runBridge(
  args: readonly string[],
  home: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { HOME, PATH } = process.env
  const options = { env: { HOME, PATH, BRIDGE_HOME: home, ...env }, maxBuffer: 64 * 1024 * 1024 }
  return new Promise((resolve) => {
    execFile(process.execPath, [inject('bin'), ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, stdout, stderr })
    })
  })
}
