import { BridgeError } from '../errors.ts'
import { readPrivateFile } from '../private-file.ts'
import { text, type Values } from '../option-values.ts'
import type { ConfiguredClient } from './options.ts'
import { commandWords } from './words.ts'

/** Where a token of somebody else comes from; looked at again whenever one is needed. */
export type TokenSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly option: string }

/** The company's identity provider (SEP-990). */
export interface IdpOptions {
  readonly issuer: string
  readonly client: ConfiguredClient
  /** Where its ID token comes from; `undefined`: somebody signs in there. */
  readonly idToken: TokenSource | undefined
  /** Whether that somebody wants to do so on another device. */
  readonly device: boolean
}

/** What companies ask for besides. */
export interface EnterpriseOptions {
  readonly idp: IdpOptions | undefined
  /** The platform's token of a workload (SEP-1933). */
  readonly workloadToken: TokenSource | undefined
  /** A program that prints access tokens: then there is no OAuth of ours. */
  readonly tokenCommand: readonly string[] | undefined
  readonly dpop: 'auto' | 'required' | 'off'
}

type Read = (name: string) => string | undefined

/** Reads these flags; throws `BridgeError` for anything unusable. */
export function readEnterpriseOptions(
  values: Values,
  env: NodeJS.ProcessEnv,
  read: Read,
): EnterpriseOptions {
  const idToken = sourceOf(values, 'id-token')
  const idp = idpOf(values, env, read, idToken)
  const workloadToken = sourceOf(values, 'workload-token')
  const command = text(values['token-command'])
  const ways = [
    ...(idp === undefined ? [] : ['--idp-issuer']),
    ...(workloadToken === undefined ? [] : ['--workload-token-…']),
    ...(command === undefined ? [] : ['--token-command']),
    ...['device-code', 'client-credentials', 'paste']
      .filter((name) => values[name] === true)
      // A person who signs in at the identity provider may do so in any way.
      .filter((name) => idp === undefined || name === 'client-credentials')
      .map((name) => `--${name}`),
  ]
  const special = idp ?? workloadToken ?? command
  if (special !== undefined && ways.length > 1) {
    throw new BridgeError('usage', `${ways.join(' and ')} exclude each other.`, {
      hint: 'Each is a way of its own to get a token.',
    })
  }
  return {
    idp,
    workloadToken,
    tokenCommand: command === undefined ? undefined : commandWords(command, '--token-command'),
    dpop: dpopOf(read('dpop')),
  }
}

function idpOf(
  values: Values,
  env: NodeJS.ProcessEnv,
  read: Read,
  idToken: TokenSource | undefined,
): IdpOptions | undefined {
  const issuer = read('idp-issuer')
  const clientId = read('idp-client-id')
  if (issuer === undefined) {
    if (clientId === undefined && idToken === undefined) return undefined
    throw new BridgeError('usage', 'Which identity provider? Its issuer is missing.', {
      hint: 'Pass --idp-issuer.',
    })
  }
  if (!URL.canParse(issuer)) {
    throw new BridgeError('usage', `--idp-issuer is not a URL: ${issuer}`)
  }
  if (clientId === undefined) {
    throw new BridgeError('usage', 'The identity provider needs to know the client.', {
      hint: 'Register one there and pass its --idp-client-id.',
    })
  }
  const clientSecret =
    variableOption(values, env, 'idp-client-secret-env') ??
    privateFileOption(values, 'idp-client-secret-file')?.trim()
  const key = privateFileOption(values, 'idp-client-key-file')
  const client = { clientId, clientSecret, key, authMethod: undefined }
  return { issuer, client, idToken, device: values['device-code'] === true }
}

/** The content of a file that only its owner may read. */
export function privateFileOption(values: Values, name: string): string | undefined {
  const file = text(values[name])
  return file === undefined ? undefined : readPrivateFile(file, `--${name}`)
}

/** The content of the environment variable that an option names. */
export function variableOption(
  values: Values,
  env: NodeJS.ProcessEnv,
  name: string,
): string | undefined {
  const variable = text(values[name])
  if (variable === undefined) return undefined
  const content = env[variable]
  if (content !== undefined && content !== '') return content
  throw new BridgeError('usage', `${variable} is not set (--${name}).`, {
    hint: `Add ${variable} to the environment of this entry in your host's configuration.`,
  })
}

function sourceOf(values: Values, prefix: string): TokenSource | undefined {
  const path = text(values[`${prefix}-file`])
  const name = text(values[`${prefix}-env`])
  const command = text(values[`${prefix}-command`])
  if ([path, name, command].filter((value) => value !== undefined).length > 1) {
    throw new BridgeError('usage', `One --${prefix}-… only.`)
  }
  if (path !== undefined) return { kind: 'file', path }
  if (name !== undefined) return { kind: 'variable', name }
  if (command === undefined) return undefined
  const option = `--${prefix}-command`
  return { kind: 'command', words: commandWords(command, option), option }
}

function dpopOf(value: string | undefined): EnterpriseOptions['dpop'] {
  if (value === undefined || value === 'auto') return 'auto'
  if (value === 'required' || value === 'off') return value
  throw new BridgeError('usage', `Unknown dpop ${value}.`, { hint: 'One of auto, required, off.' })
}
