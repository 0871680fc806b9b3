import { printable } from '../log.ts'
import { secretParameters, soundsSecret } from './secrets.ts'

/** A secret among arguments, where every program on the machine can read it; never its value. */
export interface Exposed {
  readonly what: string
  /** What puts it elsewhere. */
  readonly fix: string
}

/** What among the arguments of an entry looks like a secret: headers, clients, what is in the address. */
export function exposedIn(entry: string, args: readonly string[]): Exposed[] {
  const found = args.flatMap(inAddress)
  for (const [name, value] of optionsIn(args)) {
    if (name === 'header') found.push(...inHeader(entry, value))
    if (name === 'static-oauth-client-info' && /"client_secret"\s*:\s*"(?!\$\{)/.test(value)) {
      found.push({
        what: 'The secret of the client',
        fix: 'Write ${CLIENT_SECRET} in its place, and "env": { "CLIENT_SECRET": "<the secret>" }',
      })
    }
  }
  return found
}

/** The options among arguments, with what is, or could be, their value. */
export function optionsIn(args: readonly string[]): [name: string, value: string][] {
  return args.flatMap((word, index): [string, string][] => {
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(word)
    if (match === null) return []
    return [[match[1]!, match[2] ?? args[index + 1] ?? '']]
  })
}

function inHeader(entry: string, header: string): Exposed[] {
  const [title = '', value = ''] = header.split(/:(.*)/s)
  if (!soundsSecret(title) || literal(value) === '') return []
  const name = title.trim()
  const variable = `${entry}_${name}`.toUpperCase().replaceAll(/[^A-Z\d]+/g, '_')
  const argument = JSON.stringify(`${name}:\${${variable}}`)
  return [
    {
      what: `The header ${printable(name)}`,
      fix: `Write "--header", ${argument} and "env": { "${variable}": "<what stood behind the colon>" }`,
    },
  ]
}

function inAddress(word: string): Exposed[] {
  if (!URL.canParse(word)) return []
  const { searchParams, username, password } = new URL(word)
  const fix =
    'Send it as a header, if the server takes one: "--header-file", "<a file of yours with mode 0600>"'
  const found = secretParameters(word)
    .filter((name) => searchParams.getAll(name).some((value) => literal(value) !== ''))
    .map((name) => ({ what: `The parameter ${printable(name)}`, fix }))
  const person = literal(username + password)
  return person === '' ? found : [...found, { what: 'The password in the address', fix }]
}

/** What is left of a value without variables and the name of its scheme. */
function literal(value: string): string {
  return value.replaceAll(/\$(?:\{[^}]*\}|%7B[^%]*%7D)|\bBearer\b|\bBasic\b|\s/gi, '')
}
