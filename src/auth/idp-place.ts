import { join } from 'node:path'
import { fileOf, PROVIDERS, type StoreKey } from '../store/place.ts'
import type { IdpOptions } from './enterprise-options.ts'

/** Where the sign-in at an identity provider is kept, whatever server it is for. */
export interface IdpPlace {
  readonly folder: string
  readonly key: StoreKey
  readonly file: string
}

/** The place beside the records of the servers: one for each client and profile. */
export function idpPlace(
  credentials: string,
  { issuer, client }: IdpOptions,
  profile: string,
): IdpPlace {
  const folder = join(credentials, PROVIDERS)
  const key = { server: new URL(issuer), resource: `client:${client.clientId}`, profile }
  return { folder, key, file: fileOf(folder, key) }
}
