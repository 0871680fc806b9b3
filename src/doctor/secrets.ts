import type { Values } from '../option-values.ts'
import type { ServerOptions } from '../options.ts'
import { listRecords } from '../store/list.ts'
import type { ServerRecord } from '../store/record.ts'
import type { Machine } from './machine.ts'
import { looksLikeKey, type Private } from './report.ts'

/** Everything that a report must not tell: what the user passed, and what is stored. */
export async function privateValues(
  { values, operands }: { readonly values: Values; readonly operands: readonly string[] },
  { env, home }: Machine,
  options: ServerOptions | undefined,
  credentials: string,
): Promise<Private> {
  const { records } = await listRecords(credentials)
  const client = options?.auth.client
  const proxies = Object.entries(env).filter(([name]) => /proxy$/i.test(name))
  const addresses = [
    ...operands,
    ...proxies.map(([, value]) => value ?? ''),
    ...texts(values['proxy']),
  ]
  const secrets = [
    ...Object.values(options?.headers ?? {}).flatMap(wordsOf),
    ...[client?.clientId, client?.clientSecret].filter((value) => value !== undefined),
    ...Object.entries(env).flatMap(([name, value]) =>
      name.startsWith('BRIDGE_HEADER_') ? wordsOf(value ?? '') : [],
    ),
    ...[...texts(values['header'])].flatMap((header) =>
      wordsOf(header.slice(header.indexOf(':') + 1)),
    ),
    ...addresses.flatMap(secretsOfAddress),
    ...records.flatMap(({ record }) => secretsOfRecord(record)),
  ]
  return { secrets: [...new Set(secrets)], home }
}

function texts(value: Values[string]): readonly string[] {
  return [value].flat().filter((item) => typeof item === 'string')
}

/** A header's value, and what stands behind its scheme. */
function wordsOf(value: string): string[] {
  return [value.trim(), ...value.trim().split(/\s+/)].filter(
    (word) => !/^(bearer|basic)$/i.test(word),
  )
}

function secretsOfAddress(address: string): string[] {
  // What is no address may be anything, and be in the wrong place.
  if (!URL.canParse(address)) return [address]
  const { username, password, search, searchParams, pathname } = new URL(address)
  const keys = pathname.split('/').filter(looksLikeKey)
  return [
    username,
    password,
    search,
    ...keys,
    ...[...searchParams].map(([, value]) => value),
  ].filter((part) => part !== '')
}

/** Tokens and clients, and what a sign-in under way has in its hands. */
function secretsOfRecord({ issuers, pending }: ServerRecord): string[] {
  const bound = Object.values(issuers).flatMap(({ tokens, client }) => [
    tokens?.accessToken,
    tokens?.refreshToken,
    tokens?.clientId,
    tokens?.account,
    client?.clientId,
    client?.clientSecret,
  ])
  const { link, client } = pending ?? {}
  const waiting =
    pending?.kind === 'code'
      ? [pending.state, pending.verifier]
      : [pending?.userCode, pending?.deviceCode]
  return [...bound, ...waiting, link, client?.clientId, client?.clientSecret].filter(
    (value) => value !== undefined,
  )
}
