import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The name of a trace in the folder of logs, and of what it has left behind by number. */
const TRACE_NAME = /^[0-9a-f]{12}-\d{8}T\d{6}Z-\d+\.jsonl(?:\.\d+)?$/

/** The trace files of a folder, the one that was last written to first. */
export async function tracesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => [])
  const files = names.filter((name) => TRACE_NAME.test(name)).map((name) => join(folder, name))
  const found = await Promise.all(
    files.map(async (path) => ({
      path,
      at: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0,
    })),
  )
  return found.sort((a, b) => b.at - a.at).map(({ path }) => path)
}

/** The trace that was last written to, `undefined` when there is none. */
export async function newestTrace(folder: string): Promise<string | undefined> {
  return (await tracesIn(folder)).find((path) => path.endsWith('.jsonl'))
}
