import { join } from 'node:path'
import { hashed } from '../hash.ts'

/** Layout of the files; it changes only together with a migration. */
export const LAYOUT = 1

/** The folder of identity providers' records, below that of the servers'. */
export const PROVIDERS = 'idp'

/** Whose credentials are meant: one account on one server. */
export interface StoreKey {
  readonly server: URL
  /** The `resource` that the user has set, or `false` for none. */
  readonly resource: string | false | undefined
  readonly profile: string
}

/** The file of a key. No part of the URL is readable in the name: a query may hold a secret. */
export function fileOf(folder: string, { server, resource, profile }: StoreKey): string {
  const identity = JSON.stringify([server.href, resource ?? null, profile])
  return join(folder, `${hashed(identity, 32)}.json`)
}
