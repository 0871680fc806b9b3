import { join } from 'node:path'
import type { Authorizer } from './auth/index.ts'
import type { Remote, RemoteEvents } from './channel.ts'
import type { Connection } from './connection.ts'
import type { Log } from './log.ts'
import type { ServerOptions } from './options.ts'
import { type Paths, pathsOf } from './paths.ts'
import { openRemote } from './remote/index.ts'
import { createPatience } from './remote/patience.ts'
import { withSignIn } from './remote/signing-in.ts'
import { openIntroductions } from './store/introductions.ts'
import { openVerdicts } from './store/verdicts.ts'
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
}

/**
 * The server as the relay and the commands of the client mode see it: the transport, the rules on its
 * tools, and the waiting room of the sign-in. Nothing is sent before the first frame.
 */
export async function openLink(world: LinkWorld): Promise<Remote> {
  const { options, connection, authorizer, log, env, events } = world
  const paths = pathsOf(env)
  const patience = createPatience(log, options.timeoutMs, Date.now)
  const verdicts = openVerdicts(join(paths.cache, 'servers'), log)
  const introductions = openIntroductions(join(paths.cache, 'introductions'), options.url, log)
  const { url, strategy } = options
  const send = connection.sendWith(authorizer)
  const openServer = (inner: RemoteEvents): Remote =>
    openRemote({ url, send, events: inner, log, patience }, strategy, verdicts)
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
  return { ...remote, close: () => remote.close().finally(patience.close) }
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
