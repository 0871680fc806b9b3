import { ACCESS_TOKEN } from '../store/start.ts'
import { endOf } from './jwt.ts'

/** A token that a program, a file or a variable gave. */
export interface PrintedToken {
  readonly token: string
  /** Milliseconds since 1970; `undefined` when it is not said. */
  readonly expiresAt: number | undefined
}

type Json = Readonly<Record<string, unknown>>

/**
 * Reads what a program prints: a bare token, or JSON in a shape of the field. An OAuth token response
 * (RFC 6749 §5.1), `az account get-access-token`, `gcloud … --format json`, GitHub Actions' OIDC
 * request (`value`), Google's executable-sourced credentials (`id_token`, `expiration_time`), the
 * `ExecCredential` of Kubernetes, and the credential helpers of Bazel (`headers`) and Docker
 * (`Secret`). A JWT that comes without its end says it itself.
 */
export function printedToken(output: string, now: number): PrintedToken | undefined {
  const text = output.trim()
  const braced = text.startsWith('{')
  const json = braced ? parse(text) : undefined
  const token = braced ? json && tokenOf(json) : text
  if (token === undefined || !ACCESS_TOKEN.test(token) || /\s/.test(token)) return undefined
  return { token, expiresAt: (json && expiryOf(json, now)) ?? endOf(token) }
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

const TOKENS = ['access_token', 'accessToken', 'token', 'id_token', 'value', 'Secret']

function tokenOf(json: Json): string | undefined {
  const named = TOKENS.map((name) => json[name]).find(isText)
  if (named !== undefined) return named
  const status = json['status']
  if (isObject(status) && isText(status['token'])) return status['token']
  const { headers } = json
  const lines = isObject(headers) ? headers['Authorization'] : undefined
  const line: unknown = Array.isArray(lines) ? lines[0] : lines
  return isText(line) ? /^Bearer (.+)$/.exec(line)?.[1] : undefined
}

/** Seconds since 1970, or a date; before the names under which others put a local time. */
const TIMES = [
  'expires_on',
  'expires_at',
  'expiration_time',
  'expiresAt',
  'expiry',
  'expires',
  'expiration',
  'expiresOn',
]

function expiryOf(json: Json, now: number): number | undefined {
  const seconds = Number(json['expires_in'] ?? json['expiresIn'] ?? Number.NaN)
  if (Number.isFinite(seconds) && seconds > 0) return now + seconds * 1000
  const { status, token_expiry } = json
  const nested = isObject(status) ? status['expirationTimestamp'] : undefined
  return [...TIMES.map((name) => json[name]), nested, token_expiry]
    .map(momentOf)
    .find((moment) => moment !== undefined)
}

/** Nobody counts in milliseconds below this, or in seconds above it: the year 2286. */
const MAX_SECONDS = 1e10

function momentOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && number > 0) {
    return number < MAX_SECONDS ? number * 1000 : number
  }
  const date = isText(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : date
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
