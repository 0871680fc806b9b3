import { readFileSync } from 'node:fs'
import { BridgeError } from '../errors.ts'
import { SIGN_IN_MS } from '../limits.ts'
import {
  type EnterpriseOptions,
  privateFileOption,
  readEnterpriseOptions,
  variableOption,
} from './enterprise-options.ts'
import { AUTH_OPTIONS } from './flags.ts'
import { successUrlOf, tokenEndpointOf } from './urls.ts'
import { durationMs, expand, isOn, list, text, type Values } from '../option-values.ts'

/** A client that the user has registered. */
export interface ConfiguredClient {
  readonly clientId: string
  readonly clientSecret: string | undefined
  /** A private key, PEM or JWK. */
  readonly key: string | undefined
  readonly authMethod: string | undefined
}

/** Who waits for the sign-in: a host, a person at a terminal, or nobody who could. */
export type Asks = 'a host' | 'a person' | 'nobody'

/** How to get a token. */
type GrantChoice =
  | 'authorization_code'
  | 'device_code'
  | 'client_credentials'
  /** With the identity assertion of the company's provider (SEP-990). */
  | 'enterprise'
  /** With the token of the platform that we run on (SEP-1933). */
  | 'workload'

/** What the sign-in needs to know from its user. */
export interface AuthOptions extends EnterpriseOptions {
  readonly grant: GrantChoice
  readonly profile: string
  readonly scope: string | undefined
  readonly client: ConfiguredClient | undefined
  readonly clientMetadata: Readonly<Record<string, unknown>>
  readonly clientMetadataUrl: string | undefined
  readonly issuer: string | undefined
  /** `false`: no `resource` parameter. */
  readonly resource: string | false | undefined
  readonly authorizeParams: Readonly<Record<string, string>>
  /** Whether a person asked for the sign-in, at a terminal, and waits for it. */
  readonly attended: boolean
  /** Whether nobody is ever asked to sign in: what needs a person fails instead. */
  readonly unattended: boolean
  /** Whether that person pastes what the browser of another machine brings back. */
  readonly paste: boolean
  readonly browser: boolean
  readonly callbackPort: number | undefined
  readonly callbackHost: '127.0.0.1' | 'localhost' | undefined
  readonly callbackPath: string | undefined
  readonly timeoutMs: number
  /** Where the browser goes in the end; `undefined`: a page of ours. */
  readonly successUrl: string | undefined
  /** Where a program asks for tokens; `undefined`: where the authorization server says. */
  readonly tokenEndpoint: string | undefined
  /** Whether the id token goes in the place of the access token. */
  readonly useIdToken: boolean
  readonly allowHttp: boolean
  readonly allowMissingPkce: boolean
  readonly allowPrivate: boolean
  /** Whether connections present a certificate, which may be the client's proof (RFC 8705). */
  readonly certificate: boolean
}

/** Reads the flags of the sign-in; throws `BridgeError` for anything unusable. */
export function readAuthOptions(
  values: Values,
  env: NodeJS.ProcessEnv,
  allowHttp: boolean,
  asks: Asks,
  certificate = false,
): AuthOptions {
  const read = (name: string): string | undefined => {
    const variable = AUTH_OPTIONS.find((option) => option.name === name)?.variable
    const value = text(values[name]) ?? (variable === undefined ? undefined : env[variable])
    return value === '' ? undefined : value
  }
  const client = configuredClient(values, env, read)
  const enterprise = readEnterpriseOptions(values, env, read)
  const grant = grantOf(values, enterprise)
  const paste = values['paste'] === true
  if (paste && grant !== 'authorization_code' && grant !== 'enterprise') {
    throw new BridgeError(
      'usage',
      '--paste is for a sign-in with a browser; leave one of them out.',
    )
  }
  const proof = client?.clientSecret !== undefined || client?.key !== undefined
  if (grant === 'client_credentials' && !proof && (client === undefined || !certificate)) {
    throw new BridgeError('usage', '--client-credentials needs a client of its own.', {
      hint: 'Pass --client-id, and --client-secret-env, --client-secret-file, --client-key-file, --client-key-env or --cert.',
    })
  }
  return {
    grant,
    profile: read('profile') ?? 'default',
    scope: read('scope'),
    client,
    clientMetadata: jsonOption(values, env, 'static-oauth-client-metadata') ?? {},
    clientMetadataUrl: metadataUrl(read('client-metadata-url')),
    issuer: issuerOf(read('issuer')),
    resource: resourceOf(values, read('resource')),
    authorizeParams: authorizeParams(values),
    attended: asks === 'a person',
    unattended: asks === 'nobody',
    paste,
    browser: !paste && values['no-browser'] !== true && !isOn(env['BRIDGE_NO_BROWSER']),
    callbackPort: portOf(read('callback-port')),
    callbackHost: hostOf(read('callback-host')),
    callbackPath: pathOf(read('callback-path')),
    timeoutMs: durationMs(read('auth-timeout')) ?? SIGN_IN_MS,
    successUrl: successUrlOf(read('auth-success-url'), allowHttp),
    tokenEndpoint: tokenEndpointOf(read('token-endpoint'), grant === 'client_credentials'),
    useIdToken: values['use-id-token'] === true,
    allowHttp,
    allowMissingPkce: values['allow-missing-pkce'] === true,
    allowPrivate: values['allow-private-network'] === true,
    certificate,
    ...enterprise,
  }
}

type Read = (name: string) => string | undefined

function grantOf(values: Values, { idp, workloadToken }: EnterpriseOptions): GrantChoice {
  if (idp !== undefined) return 'enterprise'
  if (workloadToken !== undefined) return 'workload'
  const device = values['device-code'] === true
  if (values['client-credentials'] !== true) return device ? 'device_code' : 'authorization_code'
  if (!device) return 'client_credentials'
  throw new BridgeError('usage', '--device-code and --client-credentials exclude each other.')
}

function configuredClient(
  values: Values,
  env: NodeJS.ProcessEnv,
  read: Read,
): ConfiguredClient | undefined {
  const info = jsonOption(values, env, 'static-oauth-client-info') ?? {}
  const member = (name: string): string | undefined => {
    const value = info[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const clientId = read('client-id') ?? member('client_id')
  const key =
    variableOption(values, env, 'client-key-env') ?? privateFileOption(values, 'client-key-file')
  const clientSecret =
    variableOption(values, env, 'client-secret-env') ??
    privateFileOption(values, 'client-secret-file')?.trim() ??
    member('client_secret')
  if (clientId !== undefined) {
    return { clientId, clientSecret, key, authMethod: member('token_endpoint_auth_method') }
  }
  if (clientSecret === undefined && key === undefined && Object.keys(info).length === 0) {
    return undefined
  }
  throw new BridgeError('usage', 'A secret or key belongs to a client: its id is missing.', {
    hint: 'Pass --client-id.',
  })
}

function readFile(file: string, source: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new BridgeError('usage', `Cannot read ${file} (${code}, ${source}).`, { cause })
  }
}

/** An object given as JSON, as `@file`, or with `${VAR}` in its texts. */
function jsonOption(
  values: Values,
  env: NodeJS.ProcessEnv,
  name: string,
): Record<string, unknown> | undefined {
  const given = text(values[name])
  if (given === undefined) return undefined
  const content = given.startsWith('@') ? readFile(given.slice(1), `--${name}`) : given
  let value: unknown
  try {
    // Expanded inside the parsed texts: a secret with a quote in it must not change the structure.
    value = JSON.parse(content, (_, member: unknown) =>
      typeof member === 'string' ? expand(member, env, `--${name}`) : member,
    )
  } catch (error) {
    if (error instanceof BridgeError) throw error
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  // Not quoted: it is likely to hold a secret.
  throw new BridgeError('usage', `--${name} is not a JSON object.`)
}

/** What may be the id of a client that describes itself (A-42; CIMD draft, section 3). */
function metadataUrl(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const url = URL.canParse(value) ? new URL(value) : undefined
  const problem =
    url === undefined || url.protocol !== 'https:'
      ? 'an https URL'
      : url.pathname === '/'
        ? 'a URL with a path'
        : url.username !== '' || url.password !== '' || value.includes('#')
          ? 'a URL without user name and fragment'
          : /\/\.{1,2}(\/|$)/.test(value.split('?', 1)[0]!)
            ? 'a URL without dot segments'
            : undefined
  if (problem === undefined) return value
  throw new BridgeError('usage', `--client-metadata-url must be ${problem}: ${value}`)
}

function issuerOf(value: string | undefined): string | undefined {
  if (value === undefined || URL.canParse(value)) return value
  throw new BridgeError('usage', `--issuer is not a URL: ${value}`)
}

function resourceOf(values: Values, value: string | undefined): string | false | undefined {
  if (values['no-resource'] !== true) return value
  if (text(values['resource']) === undefined) return false
  throw new BridgeError('usage', '--resource and --no-resource exclude each other.')
}

/** Parameters that the protocol needs to set itself: a second opinion would undo what they protect. */
const RESERVED_PARAMS: ReadonlySet<string> = new Set([
  'client_id',
  'code_challenge',
  'code_challenge_method',
  'redirect_uri',
  'response_mode',
  'response_type',
  'state',
])

function authorizeParams(values: Values): Record<string, string> {
  const params: Record<string, string> = {}
  for (const item of list(values['authorize-param'])) {
    const at = item.indexOf('=')
    if (at < 1) throw new BridgeError('usage', `--authorize-param is not of the form name=value.`)
    const name = item.slice(0, at)
    if (RESERVED_PARAMS.has(name)) {
      throw new BridgeError(
        'usage',
        `The parameter ${name} is set by the protocol (--authorize-param).`,
      )
    }
    params[name] = item.slice(at + 1)
  }
  return params
}

function portOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const port = /^\d{1,5}$/.test(value) ? Number(value) : 0
  if (port > 0 && port < 65_536) return port
  throw new BridgeError('usage', `--callback-port is not a port: ${value}`)
}

function hostOf(value: string | undefined): AuthOptions['callbackHost'] {
  if (value === undefined || value === '127.0.0.1' || value === 'localhost') return value
  throw new BridgeError('usage', `--callback-host is ${value}.`, {
    hint: 'The browser can only come back to this machine: 127.0.0.1 or localhost.',
  })
}

function pathOf(value: string | undefined): string | undefined {
  if (value === undefined || /^\/[^?#\s]*$/.test(value)) return value
  throw new BridgeError('usage', `--callback-path must begin with a slash: ${value}`)
}
