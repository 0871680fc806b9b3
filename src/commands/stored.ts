import { join } from 'node:path'
import { idpPlace } from '../auth/idp-place.ts'
import { currentTokens } from '../auth/ledger.ts'
import { BridgeError } from '../errors.ts'
import { text } from '../option-values.ts'
import { readServerOptions, type ServerOptions } from '../options.ts'
import { pathsOf } from '../paths.ts'
import { listRecords, type Listing, type StoredRecord } from '../store/list.ts'
import type { CommandLine } from './table.ts'

/** The stored sign-ins that a command line means, and what it says about their server. */
export interface Selection extends Listing {
  /** The sign-ins at identity providers that are meant with it, but are not its own. */
  readonly behind: readonly StoredRecord[]
  /** Absent when no server is named. */
  readonly options: ServerOptions | undefined
}

/**
 * Reads the stored sign-ins of the named server, or all of them. An identity provider is named like a
 * server, by its issuer. Behind a server stands the one that the options name, or else any whose word
 * the server's tokens were got by.
 */
export async function selectRecords(line: CommandLine, env: NodeJS.ProcessEnv): Promise<Selection> {
  const options = line.operands.length === 0 ? undefined : readServerOptions(line, env, 'nobody')
  const folder = join(pathsOf(env).data, 'credentials')
  const { records, unreadable } = await listRecords(folder)
  const profile = text(line.values['profile']) ?? env['BRIDGE_PROFILE']
  const ours = records.filter(({ record }) => profile === undefined || record.profile === profile)
  if (options === undefined) return { records: ours, behind: [], unreadable, options }
  const chosen = ours.filter(({ record }) => record.server === options.url.href)
  const { idp } = options.auth
  const named = idp && idpPlace(folder, idp, options.auth.profile).file
  const vouched = chosen.some(({ record }) => currentTokens(record)?.grant === 'enterprise')
  const behind = ours.filter(
    ({ holder, file }) =>
      holder === 'identity provider' && (named === undefined ? vouched : file === named),
  )
  return { records: chosen, behind, unreadable, options }
}

/** A server of a record, as people are told: without its query, which may hold a secret. */
export function shownServer(server: string): string {
  const url = new URL(server)
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`
}

/** Nothing but what was promised goes to a command without a server. */
export function refuseOperands({ operands }: CommandLine, most: number): void {
  if (operands.length <= most) return
  throw new BridgeError('usage', `${operands[most]} is too much.`)
}
