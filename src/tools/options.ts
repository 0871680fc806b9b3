import { BridgeError } from '../errors.ts'
import { isOn, list, type OptionSpec, text, type Values } from '../option-values.ts'

/** What to do when a server changes its tools. */
type PinMode = 'warn' | 'strict' | 'accept'

const PIN_MODES: readonly PinMode[] = ['warn', 'strict', 'accept']

/** The flags that narrow down which tools of a server a host sees and calls. */
export const TOOL_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'allow-tool',
    value: 'pattern',
    multiple: true,
    variable: 'BRIDGE_ALLOW_TOOL',
    help: 'Only these tools exist for the host; * and ? stand for any characters, case counts.',
  },
  {
    name: 'ignore-tool',
    value: 'pattern',
    multiple: true,
    variable: 'BRIDGE_IGNORE_TOOL',
    help: 'These tools do not exist for the host; wins over --allow-tool.',
  },
  {
    name: 'read-only',
    variable: 'BRIDGE_READ_ONLY',
    help: 'Only the tools exist that the server declares to change nothing (readOnlyHint).',
  },
  {
    name: 'pin-tools',
    value: 'warn|strict|accept',
    bare: 'warn',
    variable: 'BRIDGE_PIN_TOOLS',
    help: 'Remember names, descriptions and schemas of the tools; warn when the server changes them, refuse the changed ones (=strict), or take them as they are now (=accept).',
  },
]

/** Which tools a host may see and call. */
export interface ToolRules {
  /** Patterns; empty: every tool. */
  readonly allow: readonly string[]
  readonly ignore: readonly string[]
  readonly readOnly: boolean
  readonly pin: PinMode | undefined
}

/** Reads the flags; several patterns of a variable are separated by spaces or commas. */
export function readToolRules(values: Values, env: NodeJS.ProcessEnv): ToolRules {
  const patterns = (name: string, variable: string): string[] => {
    const given = list(values[name])
    const found = given.length > 0 ? given : (env[variable] ?? '').split(/[\s,]+/)
    return found.filter((pattern) => pattern !== '')
  }
  return {
    allow: patterns('allow-tool', 'BRIDGE_ALLOW_TOOL'),
    ignore: patterns('ignore-tool', 'BRIDGE_IGNORE_TOOL'),
    readOnly: values['read-only'] === true || isOn(env['BRIDGE_READ_ONLY']),
    pin: pinMode(text(values['pin-tools']) ?? env['BRIDGE_PIN_TOOLS']),
  }
}

/** Whether any rule asks for the tools to be looked at. */
export function hasRules({ allow, ignore, readOnly, pin }: ToolRules): boolean {
  return allow.length > 0 || ignore.length > 0 || readOnly || pin !== undefined
}

function pinMode(word: string | undefined): PinMode | undefined {
  if (word === undefined || word === '' || !isOn(word)) return undefined
  const mode = PIN_MODES.find((candidate) => candidate === (isSwitch(word) ? 'warn' : word))
  if (mode !== undefined) return mode
  throw new BridgeError('usage', `--pin-tools cannot be ${word}.`, {
    hint: `One of ${PIN_MODES.join(', ')}; it stands behind an equals sign: --pin-tools=strict.`,
  })
}

/** A variable that only switches pinning on. */
function isSwitch(word: string): boolean {
  return ['1', 'true', 'yes', 'on'].includes(word.toLowerCase())
}
