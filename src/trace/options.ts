import { BridgeError } from '../errors.ts'
import { MAX_TRACE_CAP_BYTES, TRACE_CAP_BYTES } from '../limits.ts'
import { isUnset, text, type Values } from '../option-values.ts'

/** What is to be recorded, and where. */
export interface TraceOptions {
  /** `undefined`: a new file in the folder of logs. */
  readonly file: string | undefined
  /** `frames`: the messages alone, without HTTP exchanges and states. */
  readonly level: 'debug' | 'frames'
  readonly capBytes: number
  readonly payloads: boolean
}

const ON = new Set(['debug', '1', 'true', 'yes', 'on'])
const OFF = new Set([undefined, 'off', '0', 'false', 'no', 'info'])

/** Reads the flags of the trace; `undefined` when nothing is to be recorded. Throws `BridgeError`. */
export function readTraceOptions(values: Values, env: NodeJS.ProcessEnv): TraceOptions | undefined {
  const variable = env['BRIDGE_LOG']
  const level = isUnset(variable) ? undefined : variable!.toLowerCase()
  if (!OFF.has(level) && !ON.has(level!) && level !== 'frames') {
    throw new BridgeError('usage', `BRIDGE_LOG is ${level}.`, { hint: 'off, debug or frames.' })
  }
  const named = [text(values['trace-file']), text(values['debug-file'])]
  const [file, other] = named.filter((name) => name !== undefined && name !== '')
  if (other !== undefined && other !== file) {
    throw new BridgeError('usage', '--trace-file and --debug-file name different files.')
  }
  const capBytes = sizeOf(text(values['trace-cap']))
  const payloads = isOn(text(values['trace-payloads']))
  const path = file ?? (env['BRIDGE_LOG_FILE'] || undefined)
  const on = values['debug'] === true || path !== undefined || !OFF.has(level)
  if (!on) return undefined
  const frames = level === 'frames' && values['debug'] !== true
  return { file: path, level: frames ? 'frames' : 'debug', capBytes, payloads }
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 * 1024 }

function sizeOf(value: string | undefined): number {
  if (value === undefined) return TRACE_CAP_BYTES
  const [, digits, unit] = /^(\d+)([km]?)b?$/i.exec(value) ?? []
  const bytes = Number(digits) * (UNITS[unit?.toLowerCase() ?? ''] ?? Number.NaN)
  if (bytes > 0 && bytes <= MAX_TRACE_CAP_BYTES) return bytes
  throw new BridgeError('usage', `--trace-cap is ${value}.`, {
    hint: `A size up to ${MAX_TRACE_CAP_BYTES / 1024 / 1024}m: 4096, 64k, 1m.`,
  })
}

function isOn(value: string | undefined): boolean {
  if (value === undefined || value === 'on') return true
  if (value === 'off') return false
  throw new BridgeError('usage', `--trace-payloads is ${value}.`, { hint: 'on or off.' })
}
