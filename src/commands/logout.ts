import { createAuthHttp, lookupAll } from '../auth/fetch.ts'
import { type Revocation, revoke } from '../auth/revoke.ts'
import { readAuthOptions } from '../auth/options.ts'
import { BridgeError } from '../errors.ts'
import { isLoopback } from '../hostnames.ts'
import { openNetwork } from '../http/network.ts'
import { readNetworkOptions } from '../http/options.ts'
import { createLog, type Log } from '../log.ts'
import { openRecord } from '../store/credentials.ts'
import { removeNote } from '../store/notes.ts'
import type { StoredRecord } from '../store/list.ts'
import { readMcpRemote } from '../store/mcp-remote.ts'
import { selectRecords, shownServer } from './stored.ts'
import type { CommandLine, RunCommand } from './table.ts'

/** What became of one sign-in. */
interface SignedOut {
  readonly server: string
  /** Whether the server is the company's identity provider. */
  readonly identity_provider: boolean
  readonly profile: string
  readonly revoked: Revocation['outcome']
  readonly why?: string
}

/** Revokes and deletes stored sign-ins. What cannot be revoked is said, and deleted all the same. */
export const runLogout: RunCommand = async (line, process) => {
  const { env } = process
  const all = line.values['all'] === true
  if (line.operands.length === 0 && !all) {
    throw new BridgeError('usage', 'No server URL.', {
      hint: 'Usage: bridge logout <server_url>, or bridge logout --all',
    })
  }
  const log = createLog(process.stderr, '')
  // Without --all a server means its one account that a start with the same options would use.
  const values = all || line.values['profile'] !== undefined ? line.values : named(line, env)
  const { records, behind, unreadable, options } = await selectRecords({ ...line, values }, env)
  const done: SignedOut[] = []
  for (const entry of records) {
    done.push(await signOut(entry, line, env, log))
  }
  for (const { name, why } of unreadable) log.warn(`${name} was left alone: ${why}.`)
  if (line.values['json'] === true) process.stdout.write(`${JSON.stringify(done)}\n`)
  else for (const one of done) log.warn(told(one))
  if (done.length === 0) {
    const where = options === undefined ? '' : ` for ${shownServer(options.url.href)}`
    log.warn(`There is no stored sign-in${where}.`)
  }
  for (const { record } of behind) {
    const issuer = shownServer(record.server)
    log.warn(`The sign-in at ${issuer} serves other servers too; bridge logout ${issuer} ends it.`)
  }
  warnOfMcpRemote(done, env, log)
  return 0
}

function named({ values }: CommandLine, env: NodeJS.ProcessEnv): CommandLine['values'] {
  return { ...values, profile: env['BRIDGE_PROFILE'] ?? 'default' }
}

async function signOut(
  { holder, file, vault, where, record }: StoredRecord,
  line: CommandLine,
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<SignedOut> {
  const server = new URL(record.server)
  const signal = new AbortController().signal
  // That it is not encrypted was agreed to when it was signed in to.
  const allowHttp = server.protocol === 'http:' && !isLoopback(server.hostname)
  const given = readAuthOptions(
    line.values,
    env,
    allowHttp || line.values['allow-http'] === true,
    'nobody',
  )
  const atProvider = holder === 'identity provider'
  const options = atProvider ? { ...given, client: given.idp?.client } : given
  const { allowPrivate } = options
  const { connector } = await openNetwork(readNetworkOptions(line.values, env), env, log)
  const http = createAuthHttp({
    server,
    allowHttp: options.allowHttp,
    allowPrivate,
    lookup: lookupAll,
    connector,
    signal,
  })
  const key = { server, profile: record.profile }
  const store = openRecord(file, key, log, signal, vault)
  try {
    const outcome = await store.exclusive(async ({ record: now, remove }) => {
      const outcomes: Revocation[] = []
      for (const issuer of Object.values(now.issuers)) {
        outcomes.push(await revoke({ http, options }, issuer, atProvider ? 'session' : 'tokens'))
      }
      await remove()
      if (where === 'keychain') await removeNote(file)
      return worst(outcomes)
    })
    if (outcome === undefined) throw new Error('another process is changing it')
    const why = outcome.outcome === 'failed' ? { why: outcome.why } : {}
    return {
      server: shownServer(record.server),
      identity_provider: atProvider,
      profile: record.profile,
      revoked: outcome.outcome,
      ...why,
    }
  } catch (cause) {
    const what = `The sign-in to ${server.host} could not be deleted`
    throw new BridgeError('store_unusable', `${what}: ${(cause as Error).message}.`, { cause })
  } finally {
    await http.close()
  }
}

/** Of several authorization servers, what a person should know. */
function worst(outcomes: readonly Revocation[]): Revocation {
  const order = ['failed', 'not offered', 'revoked', 'no tokens'] as const
  const sorted = [...outcomes].sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome))
  return sorted[0] ?? { outcome: 'no tokens' }
}

function told({ server, identity_provider, profile, revoked, why }: SignedOut): string {
  const where = identity_provider ? `the identity provider ${server}` : server
  const who = profile === 'default' ? where : `${where} (profile ${profile})`
  switch (revoked) {
    case 'revoked':
      return `Signed out of ${who}: revoked there, deleted here.`
    case 'not offered':
      return `Signed out of ${who}: deleted here. The server offers no revocation; the tokens there end by themselves.`
    case 'no tokens':
      return `Signed out of ${who}: there were no tokens; what was left is deleted.`
    case 'failed':
      return `Signed out of ${who}: deleted here. They could not be revoked there (${why}); the tokens end by themselves.`
  }
}

/** What mcp-remote has stored would be adopted by the next start. */
function warnOfMcpRemote(done: readonly SignedOut[], env: NodeJS.ProcessEnv, log: Log): void {
  for (const { server, profile } of done) {
    if (profile !== 'default' || server.endsWith('?…')) continue
    const identity = { server: new URL(server), resource: undefined }
    const found = readMcpRemote(env, {
      ...identity,
      authorizeParams: {},
      clientMetadataUrl: undefined,
    })
    if (found?.tokens === undefined) continue
    log.warn(
      `mcp-remote still has a sign-in to ${server}; a start would adopt it. It is below ~/.mcp-auth.`,
    )
  }
}
