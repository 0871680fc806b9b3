import { open } from 'node:fs/promises'
import { BridgeError } from '../errors.ts'
import { MAX_TRACE_RECORDS } from '../limits.ts'
import { createHar } from './har.ts'
import { reportPage } from './html.ts'
import { readTrace, type TraceLine } from './read.ts'

/** Writes the report of a trace for a browser. */
export async function writeReport(path: string, out: string): Promise<void> {
  const lines = await newestLines(path)
  const start = lines.find(({ entry }) => entry.record.type === 'start')?.entry.record
  const title = start?.type === 'start' ? `MCP trace · ${hostOf(start.server)}` : 'MCP trace'
  await write(out, reportPage(lines.map(({ text }) => text).join('\n'), title))
}

/** Writes the HTTP side of a trace as HAR. */
export async function writeHar(path: string, out: string): Promise<void> {
  const lines = await newestLines(path)
  await write(out, createHar(lines.map(({ entry }) => entry)))
}

/** The records of a trace; of a very long one the newest, behind its first. */
async function newestLines(path: string): Promise<TraceLine[]> {
  let lines: TraceLine[] = []
  for await (const line of readTrace(path)) {
    lines.push(line)
    if (lines.length >= 2 * MAX_TRACE_RECORDS) {
      lines = [lines[0]!, ...lines.slice(1 - MAX_TRACE_RECORDS)]
    }
  }
  return lines.length <= MAX_TRACE_RECORDS
    ? lines
    : [lines[0]!, ...lines.slice(1 - MAX_TRACE_RECORDS)]
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}

/** What is written may be as confidential as the messages are: for the user alone. */
async function write(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, 'w', 0o600)
    try {
      await file.writeFile(text)
    } finally {
      await file.close()
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new BridgeError('store_unusable', `Cannot write ${path} (${code}).`, { cause })
  }
}
