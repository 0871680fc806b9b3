import { join } from 'node:path'
import { createLog, printable } from '../log.ts'
import { pathsOf } from '../paths.ts'
import { currentTokens } from '../auth/ledger.ts'
import type { StoredRecord } from '../store/list.ts'
import { createPaint, type Paint } from '../terminal.ts'
import { type KeptEra, openVerdicts, type Verdict } from '../store/verdicts.ts'
import { listRunning, type Running } from './running.ts'
import { refuseOperands, selectRecords, shownServer } from './stored.ts'
import type { RunCommand } from './table.ts'

/** One stored sign-in, as programs are told; no secret is in it. */
interface SignInStatus {
  readonly server: string
  /** Whether the server is the company's identity provider, whose sign-in serves others. */
  readonly identity_provider: boolean
  readonly profile: string
  readonly signed_in: boolean
  readonly account: string | null
  readonly issuer: string | null
  readonly scopes: readonly string[]
  readonly expires_at: string | null
  /** Whether it is renewed without a person. */
  readonly renewable: boolean
  /** What the server was found to speak when it is not Streamable HTTP. */
  readonly transport: 'sse' | null
  /** What was found out about its era; `null` when nothing has been yet. */
  readonly era: KeptEra['era'] | null
  readonly last_used: string | null
  readonly kept_in: 'file' | 'keychain'
  /** Whether a sign-in waits for a person now. */
  readonly pending: boolean
}

/** Shows what is signed in; exit code 4 when something is not. */
export const runStatus: RunCommand = async (line, process) => {
  refuseOperands(line, 1)
  const { env, stdout } = process
  const log = createLog(process.stderr, '')
  const { records, behind, unreadable, options } = await selectRecords(line, env)
  const running = (await listRunning(join(pathsOf(env).cache, 'running'))).filter(
    ({ server }) => options === undefined || server === bare(options.url),
  )
  const folder = join(pathsOf(env).cache, 'servers')
  const all = await Promise.all(
    [...records, ...behind].map(async (entry) => {
      const verdict = await openVerdicts(folder, new URL(entry.record.server), {}, log).read()
      return statusOf(entry, verdict, Date.now())
    }),
  )
  if (line.values['json'] === true) {
    stdout.write(`${JSON.stringify({ sign_ins: all, running, unreadable }, undefined, 2)}\n`)
  } else {
    if (all.length === 0) {
      const where = options === undefined ? '' : ` for ${shownServer(options.url.href)}`
      stdout.write(`There is no stored sign-in${where}.\n`)
    }
    const paint = createPaint(stdout, env, line.values['no-color'] === true)
    for (const one of all) stdout.write(shown(one, Date.now(), paint))
    if (running.length > 0) stdout.write(`${paint.bold('Running bridges')}\n`)
    for (const one of running) stdout.write(shownRunning(one, Date.now()))
    for (const { name, why } of unreadable) log.warn(`${name} could not be read: ${why}.`)
  }
  const missing =
    all.some((one) => !one.signed_in) || (options !== undefined && records.length === 0)
  return missing ? 4 : 0
}

function statusOf(
  { holder, record, where, usedAt }: StoredRecord,
  { transport, era }: Verdict,
  now: number,
): SignInStatus {
  const tokens = currentTokens(record)
  const renewable =
    tokens !== undefined &&
    (tokens.refreshToken !== undefined || tokens.grant === 'client_credentials')
  const lives = tokens !== undefined && (tokens.expiresAt === undefined || tokens.expiresAt > now)
  return {
    server: shownServer(record.server),
    identity_provider: holder === 'identity provider',
    profile: record.profile,
    signed_in: lives || renewable,
    account: tokens?.account ?? null,
    issuer: record.current ?? null,
    scopes: tokens?.scope?.split(' ').filter((scope) => scope !== '') ?? [],
    expires_at: isoTime(tokens?.expiresAt),
    renewable,
    transport: transport === 'sse' ? transport : null,
    era: era?.era ?? null,
    last_used: isoTime(usedAt),
    kept_in: where,
    pending: record.pending !== undefined,
  }
}

function bare(url: URL): string {
  return url.origin + url.pathname
}

function shownRunning(running: Running, now: number): string {
  const { pid, server, started_at, in_flight, transport, era } = running
  const speaks = [transport, era].filter((part) => part !== null).join(', ')
  const parts = [
    `${pid}  ${printable(server)}`,
    speaks === '' ? undefined : printable(speaks),
    `since ${distance(now - Date.parse(started_at))}`,
    in_flight === null || in_flight === 0 ? undefined : `${in_flight} without an answer`,
  ]
  return `  ${parts.filter((part) => part !== undefined).join('  ')}\n`
}

function shown(status: SignInStatus, now: number, paint: Paint): string {
  const { account, issuer, scopes, transport, era, last_used, kept_in } = status
  const rows: [string, string | undefined][] = [
    ['signed in', (status.signed_in ? paint.green : paint.red)(signedIn(status, now))],
    ['account', account === null ? undefined : printable(account)],
    ['issuer', issuer === null ? undefined : printable(issuer)],
    ['scopes', scopes.length === 0 ? undefined : printable(scopes.join(' '))],
    ['transport', transport === 'sse' ? 'HTTP+SSE' : undefined],
    ['era', era ?? undefined],
    ['last used', last_used === null ? undefined : `${distance(now - Date.parse(last_used))} ago`],
    ['kept in', kept_in === 'keychain' ? 'the keychain' : 'a private file'],
  ]
  const lines = rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${name.padEnd(9)}  ${value}\n`)
  return `${paint.bold(titleOf(status))}\n${lines.join('')}`
}

function titleOf({ server, profile, identity_provider }: SignInStatus): string {
  const parts = [
    ...(identity_provider ? ['identity provider'] : []),
    ...(profile === 'default' ? [] : [`profile ${printable(profile)}`]),
  ]
  return parts.length === 0 ? server : `${server} (${parts.join(', ')})`
}

function signedIn(
  { signed_in, expires_at, renewable, pending }: SignInStatus,
  now: number,
): string {
  if (!signed_in) return pending ? 'no, a sign-in waits for you' : 'no; bridge login signs in'
  if (expires_at === null) return 'yes'
  const left = Date.parse(expires_at) - now
  if (left <= 0) return 'yes, renewed at the next use'
  return `yes, for ${distance(left)}${renewable ? ', then renewed without you' : ''}`
}

function isoTime(time: number | undefined): string | null {
  return time === undefined || !Number.isFinite(time) ? null : new Date(time).toISOString()
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 24 * 60 * 60_000],
  ['h', 60 * 60_000],
  ['min', 60_000],
  ['s', 1000],
]

/** A length of time in the largest unit that it fills. */
function distance(ms: number): string {
  const [unit, size] = UNITS.find(([, length]) => ms >= length) ?? ['s', 1000]
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`
}
