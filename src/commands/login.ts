import { constants } from 'node:os'
import packageJson from '../../package.json' with { type: 'json' }
import type { Authorizer } from '../auth/index.ts'
import { openConnection } from '../connection.ts'
import { BridgeError } from '../errors.ts'
import { header } from '../http/body.ts'
import type { HttpRequest, HttpResponse, HttpSend } from '../http/client.ts'
import { SESSION_DELETE_MS } from '../limits.ts'
import { createLog } from '../log.ts'
import { readServerOptions } from '../options.ts'
import { traceOf } from '../trace/switch.ts'
import { explained, type Watched, watched } from './explained.ts'
import { readPastes } from './paste.ts'
import type { RunCommand } from './table.ts'

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Signs in to the server now, with a person at this terminal. */
export const runLogin: RunCommand = async (line, process) => {
  const options = readServerOptions(line, process.env, 'a person')
  const force = line.values['force'] === true
  const { host } = options.url
  if (options.headers['authorization'] !== undefined) {
    throw new BridgeError('usage', 'You supply an Authorization header: there is no sign-in.', {
      hint: 'Leave the header out to sign in.',
    })
  }
  if (options.auth.tokenCommand !== undefined) {
    throw new BridgeError(
      'usage',
      'The program of --token-command signs in: there is nothing to do.',
    )
  }
  const trace = await traceOf(options, process)
  const stderr = createLog(process.stderr, '')
  const log = trace?.log(stderr) ?? stderr
  const ending = new AbortController()
  let ended: NodeJS.Signals | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    ended ??= signal
    ending.abort()
  }
  for (const signal of SIGNALS) process.once(signal, onSignal)
  const connection = await openConnection(options, log, process.env, trace)
  const { http, authorizer, sendWith, stored } = connection
  const before = authorizer.credential()
  const insisting = insistent(authorizer, force)
  const { pending } = authorizer
  const onExhausted = (): void => ending.abort()
  const pastes = options.auth.paste
    ? readPastes({ stdin: process.stdin, log, send: http.send, pending, onExhausted })
    : undefined
  try {
    const send = sendWith(insisting)
    const response = await knock(send, options.url, ending.signal)
    judge(response, options.url)
    await leave(send, response)
    const after = insisting.credential()
    if (after !== undefined && after.split(' ')[1] !== (await stored())?.accessToken) {
      throw new BridgeError('store_unusable', 'You are signed in, but that could not be kept.')
    }
    log.warn(summary(host, before, after))
    return 0
  } catch (error) {
    if (ended !== undefined) {
      log.warn('Stopped. The same command goes on with this sign-in.')
      return 128 + constants.signals[ended]
    }
    if (ending.signal.aborted) {
      throw new BridgeError('sign_in_failed', 'Nothing that was pasted was of use.', {
        hint: 'Run the command again.',
        cause: error,
      })
    }
    throw explained(error, options.url, insisting.failure())
  } finally {
    pastes?.close()
    await authorizer.close()
    await http.destroy()
    await trace?.close()
  }
}

/** The authorizer as this command needs it, which remembers why it could not help. */
function insistent(authorizer: Authorizer, force: boolean): Watched {
  const before = authorizer.credential()
  const inner = watched(authorizer)
  return {
    ...inner,
    credential() {
      const credential = authorizer.credential()
      // The server shall ask for a sign-in, so it is not shown the one that works.
      return force && credential === before ? undefined : credential
    },
    headers(request) {
      return force && authorizer.credential() === before ? undefined : authorizer.headers(request)
    },
    due: () => (force ? undefined : inner.due()),
    renew(refusal) {
      const afresh = force && refusal.credential === undefined
      return inner.renew(afresh ? { ...refusal, credential: before, afresh } : refusal)
    },
    // Requests wait for the person as long as it takes: the address is on this terminal.
    pending: () => undefined,
  }
}

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: packageJson.name, version: packageJson.version },
  },
})

/** Sends what a host would send first: a server that wants a sign-in says so. */
async function knock(send: HttpSend, url: URL, signal: AbortSignal): Promise<HttpResponse> {
  const response = await send({
    method: 'POST',
    url,
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    },
    body: [Buffer.from(INITIALIZE)],
    signal,
  })
  if (response.status !== 404 && response.status !== 405) return response
  // HTTP+SSE has nothing to POST to at this address; what there is may be behind a sign-in.
  response.discard()
  return send({ method: 'GET', url, headers: { accept: 'text/event-stream' }, signal })
}

/** A response that says something else than that the server is there and content. */
function judge({ status, hint }: HttpResponse, { host }: URL): void {
  if (status === 401 || status === 403) {
    const message = `${host} refuses this sign-in (HTTP ${status}).`
    throw new BridgeError('sign_in_failed', message, hint === undefined ? {} : { hint })
  }
  if (status === 404 || status === 405 || status >= 500) {
    throw new BridgeError('server_failed', `${host} has no MCP server to offer (HTTP ${status}).`, {
      hint: 'Check the path of the URL; it often ends in /mcp or /sse.',
    })
  }
}

/** Ends the session that knocking has begun; a server that does not answer ends it by itself. */
async function leave(send: HttpSend, response: HttpResponse): Promise<void> {
  response.discard()
  const session = header(response, 'mcp-session-id')
  if (session === undefined) return
  const signal = AbortSignal.timeout(SESSION_DELETE_MS)
  const headers = { 'mcp-session-id': session }
  const request: HttpRequest = { method: 'DELETE', url: response.url, headers, signal }
  await send(request).then(
    (answer) => answer.discard(),
    () => {},
  )
}

function summary(host: string, before: string | undefined, after: string | undefined): string {
  if (after === undefined) return `${host} asks for no sign-in: there is nothing to do.`
  if (after === before) return `Already signed in to ${host}. --force signs in again.`
  return `Signed in to ${host}.`
}
