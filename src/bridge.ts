import { constants } from 'node:os'
import { join } from 'node:path'
import type { Authorizer, Renewal } from './auth/index.ts'
import type { Local } from './channel.ts'
import { openConnection } from './connection.ts'
import { RelayError } from './errors.ts'
import type { HttpSend } from './http/client.ts'
import { withRetry } from './http/with-retry.ts'
import { DRAIN_MS, FLUSH_MS, LAST_ANSWERS_MS, SESSION_DELETE_MS } from './limits.ts'
import { claimStdout } from './local/output.ts'
import { type Link, watchHost } from './local/parent.ts'
import { openStdio } from './local/stdio.ts'
import { createLog, type Log } from './log.ts'
import type { RelayOptions } from './options.ts'
import { pathsOf } from './paths.ts'
import { createRelay } from './relay.ts'
import { openRemote } from './remote/index.ts'
import { createPatience } from './remote/patience.ts'
import { withSignIn } from './remote/signing-in.ts'
import { watchAddresses, watchClock } from './remote/wake.ts'
import { createStatus, type Status } from './status.ts'
import { openIntroductions } from './store/introductions.ts'
import { openVerdicts } from './store/verdicts.ts'

/** Why the relay ends. */
type End = { readonly why: 'input' | 'output' | 'parent' } | { readonly signal: NodeJS.Signals }

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Relays between the host on stdio and the server until either is gone; settles with the exit code. */
export async function runBridge(
  options: RelayOptions,
  process: NodeJS.Process,
  links: readonly Link[],
): Promise<number> {
  const stdout = claimStdout(process)
  const paths = pathsOf(process.env)
  let inFlight = (): number => 0
  const status = createStatus({
    process,
    url: options.url,
    folder: join(paths.cache, 'running'),
    inFlight: () => inFlight(),
  })
  const log = createLog(process.stderr, undefined, status.change)
  const local = openStdio(process.stdin, stdout)
  const ending = endOf(process, links, local)

  const { http, authorizer, sendWith } = await openConnection(options, log, process.env)
  const closing = new AbortController()
  const { retryForMs, pingMs, wakeAfterMs } = options.link
  const retrying = { budgetMs: retryForMs, log, signal: closing.signal }
  const send = withRetry(noting(status, sendWith(renewalsTold(authorizer, log))), retrying)
  const patience = createPatience(log, options.timeoutMs, Date.now)
  inFlight = patience.count
  const verdicts = openVerdicts(join(paths.cache, 'servers'), log)
  const relay = createRelay(local, log)
  const wakes = new Set<() => void>()
  const stopClock = watchClock(wakeAfterMs, (sleptMs) => {
    log.state({ part: 'network', what: 'woke', sleptMs })
    // The world may be another one: addresses, routers, and what they know of our connections.
    http.reset()
    for (const wake of wakes) wake()
  })
  const introductions = openIntroductions(join(paths.cache, 'introductions'), options.url, log)
  const stopAddresses = watchAddresses((addresses) => {
    const connections = http.dropOrphans(addresses)
    if (connections > 0) log.state({ part: 'network', what: 'changed', connections })
  })
  const remote = withSignIn(
    (events) =>
      openRemote(
        { url: options.url, send, events, log, patience, pool: http, wakes, pingMs },
        options.strategy,
        verdicts,
      ),
    {
      host: options.url.host,
      events: relay.events,
      log,
      pending: authorizer.pending,
      remembered: introductions.read,
      remember(initialize, result) {
        // Only a server that asks for a sign-in will ever keep a host waiting for one.
        if (authorizer.credential() !== undefined) introductions.write(initialize, result)
      },
    },
  )

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
  closing.abort(why)
  stopClock()
  stopAddresses()
  patience.close()
  await within(FLUSH_MS, status.close())
  // Lines that still wait for their turn on the wire are answered now.
  process.stdin.destroy()
  await within(
    FLUSH_MS,
    http
      .destroy()
      .then(() => reading)
      .then(() => local.flush()),
  )
  return 'signal' in end ? 128 + constants.signals[end.signal] : 0
}

/** Tells the status of every response. */
function noting(status: Status, next: HttpSend): HttpSend {
  return async (request) => {
    const response = await next(request)
    status.answered(response.status)
    return response
  }
}

/** Tells the log of every credential that was renewed. */
function renewalsTold(authorizer: Authorizer, log: Log): Authorizer {
  const told = (renewal: Renewal): Renewal => {
    log.state({ part: 'auth', what: renewal.ok ? 'renewed' : 'not-renewed' })
    return renewal
  }
  return {
    ...authorizer,
    due: () => authorizer.due()?.then(told),
    renew: (refusal) => authorizer.renew(refusal).then(told),
  }
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
