import { constants } from 'node:os'
import packageJson from '../../package.json' with { type: 'json' }
import { openConnection } from '../connection.ts'
import { BridgeError, RelayError, ServerError } from '../errors.ts'
import { answer, errorFrame, type Frame, type RawId, readFrame, slice } from '../frame.ts'
import { valueAt } from '../json/locate.ts'
import { openLink } from '../link.ts'
import { LAST_ANSWERS_MS, SESSION_DELETE_MS } from '../limits.ts'
import { createLog, printable, silentLog } from '../log.ts'
import { readServerOptions, type ServerOptions } from '../options.ts'
import { pause } from '../pause.ts'
import { explained, watched } from './explained.ts'
import { createProgress } from './progress.ts'
import type { CommandLine } from './table.ts'

/** A server to which one command speaks, as its host would. */
export interface Client {
  readonly options: ServerOptions
  /** What the server answered to `initialize`. */
  readonly introduction: Buffer
  /** How long that took, in milliseconds. */
  readonly openedInMs: number
  /**
   * Sends a request and gives the text of its result.
   * Rejects with `BridgeError` for an error of the server, and with what failed on the way.
   */
  request(method: string, params?: string): Promise<Buffer>
}

/** JSON-RPC 2.0 §5.1. */
const METHOD_NOT_FOUND_CODE = -32601

const PROTOCOL_VERSION = '2025-11-25'

const INITIALIZE = JSON.stringify({
  protocolVersion: PROTOCOL_VERSION,
  capabilities: {},
  clientInfo: { name: packageJson.name, version: packageJson.version },
})

interface Waiting {
  resolve(result: Buffer): void
  reject(error: unknown): void
}

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Opens a session with the server that the first operand names, does the work in it, and ends it.
 * Nobody is asked to sign in: that is an error with exit code 4. Settles with the exit code.
 */
export async function withClient(
  line: CommandLine,
  process: NodeJS.Process,
  work: (client: Client) => Promise<number>,
): Promise<number> {
  const { env } = process
  const server = { ...line, operands: line.operands.slice(0, 1) }
  const options = readServerOptions(server, env, 'nobody')
  const log = options.silent ? silentLog : createLog(process.stderr, '')
  const progress = createProgress(process)
  // A reader that has seen enough, `head` say, is no failure.
  process.stdout.on('error', () => {})
  const connection = await openConnection(options, log, env)
  const authorizer = watched(connection.authorizer)
  const open = new Map<RawId, Waiting>()
  let ids = 0

  const settle = (id: RawId, frame: Frame): void => {
    const waiting = open.get(id)
    open.delete(id)
    if (frame.result !== undefined) waiting?.resolve(slice(frame.chunks, frame.result))
    else waiting?.reject(serverError(slice(frame.chunks, frame.error!), options.url))
  }

  /** What servers ask of hosts is declined: there is no model here, and nobody was asked. */
  const decline = (frame: Frame): Frame => {
    if (frame.method === 'ping') return answer(frame.id!, 'result', Buffer.from('{}'))
    if (frame.method === 'elicitation/create') {
      return answer(frame.id!, 'result', Buffer.from('{"action":"decline"}'))
    }
    const message = `bridge ${line.command} answers no ${printable(frame.method ?? '')}`
    return errorFrame(frame.id!, { code: METHOD_NOT_FOUND_CODE, message })
  }

  const onFrame = (frame: Frame, owner?: RawId): void => {
    switch (frame.kind) {
      case 'response':
        if (frame.id !== undefined && open.has(frame.id)) settle(frame.id, frame)
        else if (owner !== undefined && open.has(owner)) settle(owner, frame)
        break
      case 'request':
        remote.send(decline(frame)).done.catch(() => {})
        break
      case 'notification':
        progress.note(frame)
        break
      case 'batch':
        for (const part of frame.parts ?? []) onFrame(part, owner)
        break
      case 'invalid':
        break
    }
  }

  const fail = (error: unknown, only?: RawId): void => {
    for (const [id, waiting] of open) {
      if (only !== undefined && id !== only) continue
      open.delete(id)
      waiting.reject(error)
    }
  }

  const remote = await openLink({
    options,
    connection,
    authorizer,
    log,
    env,
    events: {
      frame(frame, owner) {
        onFrame(frame, owner)
        return undefined
      },
      lost: fail,
      forgotten: () => {},
    },
  })

  const request = (method: string, params = '{}'): Promise<Buffer> => {
    const id = String(++ids)
    const frame = readFrame(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`)!
    return new Promise((resolve, reject) => {
      open.set(id, { resolve, reject })
      remote.send(frame).done.then(
        (outcome) => {
          if (outcome === 'elsewhere') return
          const why = 'The server ended its response without an answer.'
          fail(new RelayError(why, { phase: 'response' }), id)
        },
        (error: unknown) => {
          if (error instanceof ServerError) fail(serverError(error.object, options.url), id)
          else fail(error, id)
        },
      )
    })
  }

  let ended: NodeJS.Signals | undefined
  let cancelled: Promise<unknown> = Promise.resolve()
  const onSignal = (signal: NodeJS.Signals): void => {
    ended ??= signal
    cancelled = Promise.allSettled([...open.keys()].map(cancel))
    fail(new RelayError('Stopped.', { phase: 'shutdown' }))
  }
  for (const signal of SIGNALS) process.once(signal, onSignal)
  try {
    const startedAt = performance.now()
    const introduction = await request('initialize', INITIALIZE)
    const openedInMs = performance.now() - startedAt
    const initialized = readFrame('{"jsonrpc":"2.0","method":"notifications/initialized"}')!
    const { started, done } = remote.send(initialized)
    done.catch(() => {}) // what it stands in the way of says so itself
    await started
    return await work({ options, introduction, openedInMs, request })
  } catch (error) {
    if (ended !== undefined) return 128 + constants.signals[ended]
    throw explained(error, options.url, authorizer.failure())
  } finally {
    progress.end()
    await within(LAST_ANSWERS_MS, cancelled)
    await within(SESSION_DELETE_MS, remote.close())
    await authorizer.close()
    await connection.http.destroy()
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }

  function cancel(id: RawId): Promise<unknown> {
    const text = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`
    return remote.send(readFrame(text)!).done
  }
}

/** Waits for the work, but no longer than `ms`. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  await Promise.race([work.finally(() => over.abort()), pause(ms, over.signal)])
}

/** A JSON-RPC error of the server, in a person's words. */
function serverError(object: Buffer, { host }: URL): BridgeError {
  const code = valueAt(object, 'code')
  const message = valueAt(object, 'message')
  const said = typeof message === 'string' ? printable(message) : 'no reason'
  return new BridgeError(
    'server_failed',
    `${host} answers with an error: ${said} (${String(code)})`,
  )
}
