import { constants } from 'node:os'
import { join } from 'node:path'
import type { Local } from './channel.ts'
import { openConnection } from './connection.ts'
import { RelayError } from './errors.ts'
import { DRAIN_MS, FLUSH_MS, LAST_ANSWERS_MS, SESSION_DELETE_MS } from './limits.ts'
import { claimStdout } from './local/output.ts'
import { type Link, watchHost } from './local/parent.ts'
import { openStdio } from './local/stdio.ts'
import { createLog } from './log.ts'
import type { ServerOptions } from './options.ts'
import { pathsOf } from './paths.ts'
import { createRelay } from './relay.ts'
import { openRemote } from './remote/index.ts'
import { createPatience } from './remote/patience.ts'
import { withSignIn } from './remote/signing-in.ts'
import { openIntroductions } from './store/introductions.ts'
import { openVerdicts } from './store/verdicts.ts'
import { traceOf } from './trace/switch.ts'

/** Why the relay ends. */
type End = { readonly why: 'input' | 'output' | 'parent' } | { readonly signal: NodeJS.Signals }

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Relays between the host on stdio and the server until either is gone; settles with the exit code. */
export async function runBridge(
  options: ServerOptions,
  process: NodeJS.Process,
  links: readonly Link[],
): Promise<number> {
  const stdout = claimStdout(process)
  const stdio = openStdio(process.stdin, stdout)
  const ending = endOf(process, links, stdio)
  const trace = await traceOf(options, process)
  const stderr = createLog(process.stderr)
  const log = trace?.log(stderr) ?? stderr
  const local = trace?.local(stdio) ?? stdio

  const { http, authorizer, sendWith } = await openConnection(options, log, process.env, trace)
  const send = sendWith(authorizer)
  const paths = pathsOf(process.env)
  const patience = createPatience(log, options.timeoutMs, Date.now)
  const verdicts = openVerdicts(join(paths.cache, 'servers'), log)
  const relay = createRelay(local, log)
  const introductions = openIntroductions(join(paths.cache, 'introductions'), options.url, log)
  const remote = withSignIn(
    (waiting) => {
      const events = trace?.events(waiting) ?? waiting
      return openRemote(
        { url: options.url, send, events, log, patience },
        options.strategy,
        verdicts,
      )
    },
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
  const closing = new RelayError('The bridge is shutting down.', { phase: 'shutdown' })
  const answered = within(LAST_ANSWERS_MS, relay.close(remote, closing))
  await within(
    SESSION_DELETE_MS,
    answered.then(() => Promise.all([remote.close(), authorizer.close()])),
  )
  patience.close()
  // Lines that still wait for their turn on the wire are answered now.
  process.stdin.destroy()
  await within(
    FLUSH_MS,
    http
      .destroy()
      .then(() => reading)
      .then(() => local.flush()),
  )
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
