import { constants } from 'node:os'
import { BridgeError } from '../errors.ts'
import { durationMs, text } from '../option-values.ts'
import { pathsOf } from '../paths.ts'
import { columnsOf, createPaint } from '../terminal.ts'
import { createFilter } from '../trace/filter.ts'
import { newestTrace } from '../trace/folder.ts'
import { followTrace, readTrace } from '../trace/read.ts'
import { viewOf } from '../trace/view.ts'
import type { CommandLine, RunCommand } from './table.ts'

/** Shows a trace, turns it into a report or a HAR file, or replays it. */
export const runTrace: RunCommand = async (line, process) => {
  const { values, operands } = line
  if (operands[0] === 'replay') {
    const { runReplay } = await import('./trace-replay.ts')
    return runReplay({ ...line, operands: operands.slice(1) }, process)
  }
  if (operands.length > 1) {
    throw new BridgeError('usage', `One file only; ${operands[1]} is too much.`)
  }
  const path = operands[0] ?? (await newest(process.env))
  const html = text(values['html'])
  const har = text(values['har'])
  if (html === undefined && har === undefined) return show(line, path, process)
  const { writeHar, writeReport } = await import('../trace/export.ts')
  if (html !== undefined) await writeReport(path, html)
  if (har !== undefined) await writeHar(path, har)
  for (const file of [html, har]) if (file !== undefined) process.stdout.write(`${file}\n`)
  return 0
}

async function newest(env: NodeJS.ProcessEnv): Promise<string> {
  const { log } = pathsOf(env)
  const path = await newestTrace(log)
  if (path !== undefined) return path
  throw new BridgeError('usage', `There is no trace in ${log}.`, {
    hint: 'bridge <server_url> --debug makes one.',
  })
}

async function show(
  { values }: CommandLine,
  path: string,
  process: NodeJS.Process,
): Promise<number> {
  const { stdout, env } = process
  const isWanted = createFilter({
    method: text(values['method']),
    slowMs: slowOf(text(values['slow'])),
    errors: values['errors'] === true,
    id: text(values['id']),
  })
  const ending = new AbortController()
  let signal: 'SIGINT' | 'SIGTERM' | undefined
  // `bridge trace | head`: whoever has seen enough closes the pipe.
  stdout.on('error', () => ending.abort())
  const lines =
    values['follow'] === true
      ? followTrace(
          path,
          endOf(process, ending, (name) => (signal = name)),
        )
      : readTrace(path)
  const look = {
    paint: createPaint(stdout, env, values['no-color'] === true),
    columns: columnsOf(stdout, Number.MAX_SAFE_INTEGER),
  }
  for await (const { text: source, entry } of lines) {
    if (ending.signal.aborted) break
    if (!isWanted(entry)) continue
    const shown = values['json'] === true ? asJson(source, stdout) : viewOf(entry, look)
    const more = stdout.write(`${shown}\n`)
    if (!more) await drained(stdout, ending.signal)
  }
  return signal === undefined ? 0 : 128 + constants.signals[signal]
}

/** The record itself; for a terminal with escapes for what is not printable, which JSON allows in strings. */
function asJson(source: string, { isTTY }: NodeJS.WriteStream): string {
  if (!isTTY) return source
  return source.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}

/** A number alone means milliseconds here: nobody looks for answers of minutes. */
function slowOf(value: string | undefined): number | undefined {
  return durationMs(value !== undefined && /^\d+$/.test(value) ? `${value}ms` : value)
}

function endOf(
  process: NodeJS.Process,
  ending: AbortController,
  onSignal: (name: 'SIGINT' | 'SIGTERM') => void,
): AbortSignal {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      onSignal(name)
      ending.abort()
    })
  }
  return ending.signal
}

function drained(stdout: NodeJS.WriteStream, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      stdout.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    stdout.once('drain', done)
    signal.addEventListener('abort', done, { once: true })
  })
}
