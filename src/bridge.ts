import { constants } from 'node:os'
import { join } from 'node:path'
import type { Local } from './channel.ts'
import { openConnection } from './connection.ts'
import { RelayError } from './errors.ts'
import { CLOSING_MS, DRAIN_MS, FLUSH_MS, LAST_ANSWERS_MS, SESSION_DELETE_MS } from './limits.ts'
import { claimStdout } from './local/output.ts'
import { type Link, watchHost } from './local/parent.ts'
import { openStdio } from './local/stdio.ts'
import { openLink } from './link.ts'
import { createLog, silentLog, sparing } from './log.ts'
import type { ServerOptions } from './options.ts'
import { pathsOf } from './paths.ts'
import { createRelay } from './relay.ts'
import { createStatus } from './status.ts'
import { traceOf } from './trace/switch.ts'

/** Why the relay ends. */
type End = { readonly why: 'input' | 'output' | 'parent' } | { readonly signal: NodeJS.Signals }

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Relays between the host on stdio and the server until either is gone; settles with the exit code.
 *
 * @param onAnswer called whenever the server has answered
 */
export async function runBridge(
  options: ServerOptions,
  process: NodeJS.Process,
  links: readonly Link[],
  onAnswer: () => void,
): Promise<number> {
  const stdout = claimStdout(process)
  const { env } = process
  let inFlight = (): number => 0
  const status = createStatus({
    process,
    url: options.url,
    folder: join(pathsOf(env).cache, 'running'),
    inFlight: () => inFlight(),
  })
  const stdio = openStdio(process.stdin, stdout)
  const ending = endOf(process, links, stdio)
  const trace = await traceOf(options, process)
  const quiet = options.silent
    ? { ...silentLog, state: status.change }
    : sparing(createLog(process.stderr, undefined, status.change))
  const log = trace?.log(quiet) ?? quiet
  const local = trace?.local(stdio) ?? stdio

  const connection = await openConnection(options, log, env, trace)
  const { http, authorizer } = connection
  const relay = createRelay(local, log)
  const { events } = relay
  const onStatus = (httpStatus: number): void => {
    onAnswer()
    status.answered(httpStatus)
  }
  const remote = await openLink({
    options,
    connection,
    authorizer,
    log,
    env,
    events,
    onStatus,
    tap: trace,
  })
  inFlight = remote.inFlight

  const reading = relay.run(remote)
  const end = await ending
  if ('why' in end && end.why === 'input') {
    await within(DRAIN_MS, reading.then(relay.idle))
  }
  const why = new RelayError('The bridge is shutting down.', { phase: 'shutdown' })
  const answered = within(LAST_ANSWERS_MS, relay.close(remote, why))
  await within(
    SESSION_DELETE_MS,
    answered.then(() => Promise.all([remote.close(), authorizer.close()])),
  )
  await within(FLUSH_MS, status.close())
  // Lines that still wait for their turn on the wire are answered now.
  process.stdin.destroy()
  await within(
    CLOSING_MS,
    http.destroy().then(() => reading),
  )
  await local.flush()
  if (trace !== undefined) await within(FLUSH_MS, trace.close())
  return 'signal' in end ? 128 + constants.signals[end.signal] : 0
}

/** Settles with the first sign that the host wants us gone or is gone itself. */
function endOf(
  process: NodeJS.Process,
  links: readonly Link[],
  { ended, broken }: Local,
): Promise<End> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) {
      process.once(signal, () => {
        resolve({ signal })
      })
    }
    const host = watchHost(process, links, () => resolve({ why: 'parent' }))
    void ended.then(() => resolve({ why: 'input' }))
    void broken.then(() => {
      host.stop()
      resolve({ why: 'output' })
    })
  })
}

/** Waits for the work, but no longer than `ms`; its failure is as good as its end. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work.catch(() => {}), limit])
  clearTimeout(timer)
}
