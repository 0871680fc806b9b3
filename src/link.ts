import { join } from 'node:path'
import type { Authorizer, Renewal } from './auth/index.ts'
import type { Remote, RemoteEvents, ServerTap } from './channel.ts'
import type { Connection } from './connection.ts'
import { type EraContext, withEra } from './era/index.ts'
import { randomText } from './hash.ts'
import type { HttpSend } from './http/client.ts'
import { withRetry } from './http/with-retry.ts'
import type { Log } from './log.ts'
import type { ServerOptions } from './options.ts'
import { type Paths, pathsOf } from './paths.ts'
import { openRemote } from './remote/index.ts'
import { createPatience } from './remote/patience.ts'
import { withSignIn } from './remote/signing-in.ts'
import { watchAddresses, watchClock } from './remote/wake.ts'
import { openIntroductions } from './store/introductions.ts'
import { openVerdicts, type Verdicts } from './store/verdicts.ts'
import { hasRules } from './tools/options.ts'

/** What a link is made of. */
export interface LinkWorld {
  readonly options: ServerOptions
  readonly connection: Connection
  /** Whose credentials are sent. */
  readonly authorizer: Authorizer
  readonly log: Log
  readonly env: NodeJS.ProcessEnv
  /** Takes what the server says. */
  readonly events: RemoteEvents
  /** Takes the HTTP status of every response. */
  readonly onStatus?: (httpStatus: number) => void
  /** Looks at what the server says, before anybody acts on it, and at both sides of a translation. */
  readonly tap?:
    | { events(events: RemoteEvents): RemoteEvents; readonly server: ServerTap }
    | undefined
}

/** The server, and what is known of the way to it. */
export interface Link extends Remote {
  /** The requests that wait for the server. */
  inFlight(): number
}

/**
 * The server as the relay and the commands of the client mode see it: the transport, what keeps it
 * alive, the rules on its tools, and the waiting room of the sign-in. Nothing is sent before the first
 * frame.
 */
export async function openLink(world: LinkWorld): Promise<Link> {
  const { options, connection, authorizer, log, env, events, onStatus } = world
  const { url, strategy } = options
  const { retryForMs, pingMs, wakeAfterMs } = options.link
  const { http } = connection
  const paths = pathsOf(env)
  const closing = new AbortController()
  const patience = createPatience(log, options.timeoutMs, Date.now)
  const verdicts = openVerdicts(join(paths.cache, 'servers'), url, options.headers, log)
  const introductions = openIntroductions(join(paths.cache, 'introductions'), url, log)
  const send = withRetry(noting(onStatus, connection.sendWith(renewalsTold(authorizer, log))), {
    budgetMs: retryForMs,
    log,
    signal: closing.signal,
  })
  const wakes = new Set<() => void>()
  const stopClock = watchClock(wakeAfterMs, (sleptMs) => {
    log.state({ part: 'network', what: 'woke', sleptMs })
    // The world may be another one: addresses, routers, and what they know of our connections.
    http.reset()
    for (const wake of wakes) wake()
  })
  http.onDead(() => {
    log.state({ part: 'network', what: 'dead-connection' })
    for (const wake of wakes) wake()
  })
  const stopAddresses = watchAddresses((addresses) => {
    const connections = http.dropOrphans(addresses)
    if (connections > 0) log.state({ part: 'network', what: 'changed', connections })
  })
  const context = { url, send, log, patience, pool: http, wakes, pingMs }
  const openServer = (toHost: RemoteEvents): Remote =>
    withEra(
      (inner) => openRemote({ ...context, events: inner }, strategy, verdicts),
      eraContext(world, world.tap?.events(toHost) ?? toHost, verdicts),
    )
  const openRuled = hasRules(options.tools) ? await ruled(world, paths, openServer) : openServer
  const remote = withSignIn(openRuled, {
    host: url.host,
    events,
    log,
    pending: authorizer.pending,
    remembered: introductions.read,
    remember(initialize, result) {
      // Only a server that asks for a sign-in will ever keep a host waiting for one.
      if (authorizer.credential() !== undefined) introductions.write(initialize, result)
    },
  })
  return {
    ...remote,
    inFlight: patience.count,
    async close() {
      // A host that has only probed is gone at once, and comes back to ask again.
      await Promise.all([remote.close(), verdicts.flush()])
      closing.abort(new Error('the bridge is closing'))
      stopClock()
      stopAddresses()
      patience.close()
    },
  }
}

function eraContext(
  { options: { url, headers, strategy, protocol }, authorizer, log, tap }: LinkWorld,
  events: RemoteEvents,
  verdicts: Verdicts,
): EraContext {
  const isSse = strategy === 'sse' || strategy === 'sse-only'
  return {
    events,
    log,
    host: url.host,
    // HTTP+SSE belongs to the initialize era.
    protocol: isSse ? 'legacy' : protocol,
    credentialed: () =>
      authorizer.credential() !== undefined || headers['authorization'] !== undefined,
    async remembered() {
      const { transport, era } = await verdicts.read()
      return transport === 'sse' ? { era: 'legacy', versions: [], at: Date.now() } : era
    },
    remember: (era) => verdicts.write({ era }),
    now: Date.now,
    random: () => randomText(16),
    tap: tap?.server,
  }
}

/** Tells the HTTP status of every response. */
function noting(onStatus: ((httpStatus: number) => void) | undefined, next: HttpSend): HttpSend {
  if (onStatus === undefined) return next
  return async (request) => {
    const response = await next(request)
    onStatus(response.status)
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

/** The rules stand inside of the waiting room, whose own tool no rule is about. */
async function ruled(
  { options, log }: LinkWorld,
  paths: Paths,
  open: (events: RemoteEvents) => Remote,
): Promise<(events: RemoteEvents) => Remote> {
  const { openToolRules } = await import('./tools/with-rules.ts')
  const { url, tools, auth } = options
  const place = { folder: join(paths.data, 'pins'), server: url, profile: auth.profile }
  return (events) => openToolRules(open, events, tools, place, log)
}
