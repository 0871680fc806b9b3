import { resolve } from 'node:path'
import { list, type OptionSpec, text, type Values } from '../option-values.ts'
import { SERVER_OPTIONS } from '../options.ts'
import { isObject, type JsonObject } from './json-value.ts'
import { secretParameters } from './secrets.ts'

/** The options of a server as they stand in an entry. */
export interface EntryArguments {
  readonly args: readonly string[]
  /** What goes through the environment: whatever is secret, or has a space. */
  readonly env: Readonly<Record<string, string>>
  /** Values that must not be shown. */
  readonly secrets: readonly string[]
  /** What the person should know, one line each. */
  readonly warnings: readonly string[]
}

/** What decides how options are written. */
export interface Spelling {
  /** The variables that are known now, to be put into the entry where an option names them. */
  readonly known: NodeJS.ProcessEnv
  /** The variables that the entry sets already. */
  readonly given: Readonly<Record<string, string>>
  /** The host puts variables of its own in the place of `${VAR}`. */
  readonly expands: boolean
  /** Relative paths are of this folder: hosts start programs anywhere. */
  readonly cwd: string
}

/** Variables that every program needs: a header of that name must not take their place. */
const TAKEN = /^(?:HOME|LOGNAME|PATH|SHELL|TERM|USER|TEMP|TMP|APPDATA|LANG|NODE_OPTIONS)$/

/**
 * Writes the options of a server for an entry: no secret among the arguments, where every program on
 * the machine can read them, and no space, at which some hosts cut them apart.
 */
export function entryArguments(url: string, values: Values, spelling: Spelling): EntryArguments {
  const { known, given, expands, cwd } = spelling
  const args: string[] = [url]
  const env: Record<string, string> = {}
  const secrets: string[] = []
  const warnings = secretParameters(url).map(
    (name) => `The parameter ${name} of the address can be read by every program on this machine.`,
  )
  for (const option of SERVER_OPTIONS) {
    for (const value of valuesOf(values[option.name])) {
      if (value === true) args.push(`--${option.name}`)
      else if (option.name === 'header') header(value)
      else plain(option, value)
    }
  }
  return { args, env, secrets, warnings }

  function header(line: string): void {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim()
    const value = line.slice(colon + 1).trim()
    // `${env:X}` and `${input:x}` are words of hosts, who replace them in the environment as well.
    const names = [...value.matchAll(/\$\{([^}:]*)\}/g)].map((match) => match[1]!)
    const missing = names.filter((variable) => valueOf(variable) === undefined)
    // Words without a space that name variables can stay; what they name comes along.
    const stays = names.length > 0 && !/\s/.test(value) && !expands
    if (stays || (missing.length > 0 && !expands)) {
      for (const variable of names) bring(variable)
      add('header', `${name}:${value}`)
      return
    }
    const content = value.replaceAll(/\$\{([^}]*)\}/g, (whole, variable: string) => {
      return valueOf(variable) ?? whole
    })
    secrets.push(content)
    const mangled = name.toUpperCase().replaceAll('-', '_')
    if (expands && /^[\da-z-]+$/i.test(name)) {
      env[`BRIDGE_HEADER_${mangled}`] = content
      if (content.includes('$')) {
        warnings.push(
          `The value of ${name} has a $ in it, which this host may take for a variable.`,
        )
      }
      return
    }
    const variable = mangled.replaceAll(/\W/g, '_')
    const other = given[variable] !== undefined && given[variable] !== content
    const own =
      TAKEN.test(variable) || /^\d/.test(variable) || other ? `HEADER_${variable}` : variable
    env[own] = content
    add('header', `${name}:\${${own}}`)
  }

  function plain(option: OptionSpec, given_: string): void {
    const { name, variable } = option
    if (name.endsWith('-env')) bring(given_)
    const value = name.startsWith('static-oauth-')
      ? json(given_)
      : isFile(option)
        ? resolve(cwd, given_)
        : given_
    if (!/\s/.test(value)) return add(name, value)
    if (variable !== undefined && !variable.includes('<')) {
      env[variable] = value
      return
    }
    warnings.push(`--${name} has a space in it: some hosts cut arguments apart there.`)
    add(name, value)
  }

  /** JSON without white space, and without the client's secret. */
  function json(given_: string): string {
    if (given_.startsWith('@')) return `@${resolve(cwd, given_.slice(1))}`
    let value: unknown
    try {
      value = JSON.parse(given_)
    } catch {
      return given_
    }
    if (!isObject(value)) return given_
    for (const [, variable] of given_.matchAll(/\$\{([^}]*)\}/g)) bring(variable!)
    return JSON.stringify(withoutSecret(value)).replaceAll(/\s/g, '\\u0020')
  }

  function withoutSecret(client: JsonObject): JsonObject {
    const { client_secret: secret, ...rest } = client
    if (typeof secret !== 'string' || secret.includes('${')) return client
    env['BRIDGE_CLIENT_SECRET'] = secret
    secrets.push(secret)
    // By its name, not as a variable in the JSON, which some hosts would replace themselves.
    add('client-secret-env', 'BRIDGE_CLIENT_SECRET')
    return rest
  }

  /** Puts a variable that an option names into the entry, when its value is known here. */
  function bring(variable: string): void {
    const value = valueOf(variable)
    if (value === undefined) return
    secrets.push(value)
    if (given[variable] === undefined) env[variable] = value
  }

  function valueOf(variable: string): string | undefined {
    return given[variable] ?? known[variable]
  }

  function add(name: string, value: string): void {
    if (value.startsWith('-')) args.push(`--${name}=${value}`)
    else args.push(`--${name}`, value)
  }
}

/** Takes the options of a server out of those of a command that has others as well. */
export function serverValues(values: Values, own: readonly OptionSpec[]): Values {
  const names = new Set(own.map(({ name }) => name))
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.has(name)))
}

function valuesOf(value: Values[string]): (string | true)[] {
  if (value === true) return [true]
  const single = text(value)
  return single === undefined ? list(value) : [single]
}

function isFile({ value }: OptionSpec): boolean {
  return value === 'file'
}
