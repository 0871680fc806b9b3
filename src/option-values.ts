import { BridgeError } from './errors.ts'

/** One flag: this table drives parsing, help, the environment's names and the README's table. */
export interface OptionSpec {
  readonly name: string
  readonly short?: string
  /** What stands for the value in the help; a flag without it is on or off. */
  readonly value?: string
  /** The value that the flag alone stands for; any other one is given behind `=`. */
  readonly bare?: string
  /** Values to be offered beyond those that `value` lists as `a|b`. */
  readonly choices?: readonly string[]
  readonly multiple?: boolean
  /** The environment variable with the same meaning; the flag wins. */
  readonly variable?: string
  readonly help: string
}

/** What the command line says, by option name. */
export type Values = Record<string, string | boolean | (string | boolean)[] | undefined>

/** The words that an option takes; none when its value is free. */
export function choicesOf({ value, choices }: OptionSpec): readonly string[] {
  return choices ?? (value?.includes('|') === true ? value.split('|') : [])
}

/** The value of an option that is given at most once. */
export function text(value: Values[string]): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/**
 * Whether an environment variable says nothing: it is missing, empty, or what hosts pass on for a
 * setting that its user has left out (MCPB, user_config).
 */
export function isUnset(value: string | undefined): boolean {
  return value === undefined || /^(\$\{user_config\.[^}]*\})?$/.test(value)
}

/** Whether an environment variable switches something on. */
export function isOn(value: string | undefined): boolean {
  return !isUnset(value) && !['0', 'false', 'no', 'off'].includes(value!.toLowerCase())
}

/** The values of an option that may be given several times. */
export function list(value: Values[string]): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of `90`, `90s`, `5m`; throws for anything else. */
export function durationMs(value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(value)
  const ms = match === null ? 0 : Number(match[1]) * UNIT_MS[match[2] ?? 's']!
  if (ms > 0) return ms
  throw new BridgeError('usage', `Not a duration: ${value}`, { hint: 'Examples: 90, 90s, 5m.' })
}

/** Hosts disagree on who expands `${VAR}` in their configuration; what arrives here, we expand. */
export function expand(value: string, env: NodeJS.ProcessEnv, source: string): string {
  return value.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => {
    const found = env[name]
    if (found !== undefined) return found
    throw new BridgeError('header_variable_missing', `\${${name}} is not set (${source}).`, {
      hint: `Add ${name} to the environment of this entry in your host's configuration.`,
    })
  })
}

/** The names of the options that are set, by flag or by environment variable. */
export function givenOptions(
  options: readonly OptionSpec[],
  values: Values,
  env: NodeJS.ProcessEnv,
): readonly string[] {
  const isSet = ({ name, variable, value }: OptionSpec): boolean => {
    if (values[name] !== undefined) return true
    if (variable === undefined) return false
    const [prefix = ''] = variable.split('<', 1)
    if (prefix === variable)
      return value === undefined ? isOn(env[variable]) : !isUnset(env[variable])
    return Object.keys(env).some((known) => known.startsWith(prefix))
  }
  return options.filter(isSet).map(({ name }) => name)
}
