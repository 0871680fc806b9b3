import { createHash } from 'node:crypto'
import type { StoredClient } from '../store/record.ts'
import { AuthFailure } from './failure.ts'
import { type Callback, listenForCallback, PortUnavailable } from './loopback.ts'
import type { AuthContext } from './context.ts'
import { CALLBACK_PATH, DOCUMENT_PORT } from './client-metadata.ts'

/** The names by which a browser may come back to this machine. */
export type CallbackHost = '127.0.0.1' | 'localhost'

/** First of the ports that are derived from a server; below the ranges that systems give away. */
const FIRST_PORT = 20_000
const PORTS = 8_000

/**
 * The port for a server: the one that the user wants, the one that is registered, or one that is
 * always the same for this server, because many authorization servers compare it.
 */
export function preferredPort(
  { options, server }: Pick<AuthContext, 'options' | 'server'>,
  registered: StoredClient | undefined,
  document: boolean,
): number {
  if (options.callbackPort !== undefined) return options.callbackPort
  if (document) return DOCUMENT_PORT
  const redirect = registered?.redirectUris[0]
  const port = redirect === undefined ? 0 : Number(new URL(redirect).port)
  if (port !== 0) return port
  const digest = createHash('sha256').update(`${server.href} ${options.profile}`).digest()
  return FIRST_PORT + (digest.readUInt32BE(0) % PORTS)
}

/** The host of the redirect URI: an address, unless the user or a registration says otherwise. */
export function preferredHost(
  { options }: Pick<AuthContext, 'options'>,
  registered: StoredClient | undefined,
): CallbackHost {
  if (options.callbackHost !== undefined) return options.callbackHost
  const redirect = registered?.redirectUris[0]
  return redirect !== undefined && new URL(redirect).hostname === 'localhost'
    ? 'localhost'
    : '127.0.0.1'
}

/** The path of the redirect URI. */
export function preferredPath(
  { options }: Pick<AuthContext, 'options'>,
  registered: StoredClient | undefined,
): string {
  const redirect = registered?.redirectUris[0]
  const path = redirect === undefined ? undefined : new URL(redirect).pathname
  return options.callbackPath ?? path ?? CALLBACK_PATH
}

/** Binds the port, or any other one where that is allowed; the redirect URI is known afterwards. */
export async function bindCallback(
  { options, signal }: AuthContext,
  host: CallbackHost,
  port: number,
  path: string,
): Promise<Callback> {
  const place = { host, path, signal }
  try {
    return await listenForCallback({ ...place, port })
  } catch (error) {
    if (!(error instanceof PortUnavailable)) throw error
    if (options.callbackPort === undefined) return listenForCallback({ ...place, port: 0 })
    throw new AuthFailure('refused', error.message, {
      hint: 'Stop the other program, or choose another --callback-port.',
      cause: error,
    })
  }
}
