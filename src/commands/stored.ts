import { join } from 'node:path'
import { BridgeError } from '../errors.ts'
import { text } from '../option-values.ts'
import { readServerOptions, type ServerOptions } from '../options.ts'
import { pathsOf } from '../paths.ts'
import { listRecords, type Listing } from '../store/list.ts'
import type { CommandLine } from './table.ts'

/** The stored sign-ins that a command line means, and what it says about their server. */
export interface Selection extends Listing {
  /** Absent when no server is named. */
  readonly options: ServerOptions | undefined
}

/** Reads the stored sign-ins of the named server, or all of them. */
export async function selectRecords(line: CommandLine, env: NodeJS.ProcessEnv): Promise<Selection> {
  const options = line.operands.length === 0 ? undefined : readServerOptions(line, env, 'nobody')
  const { records, unreadable } = await listRecords(join(pathsOf(env).data, 'credentials'))
  const profile = text(line.values['profile']) ?? env['BRIDGE_PROFILE']
  const chosen = records.filter(
    ({ record }) =>
      (options === undefined || record.server === options.url.href) &&
      (profile === undefined || record.profile === profile),
  )
  return { records: chosen, unreadable, options }
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
