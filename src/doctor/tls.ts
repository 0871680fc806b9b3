import { connect, type Socket } from 'node:net'
import { connect as connectTls, type PeerCertificate } from 'node:tls'
import { isIP } from 'node:net'
import type { Certificates } from '../http/certificates.ts'
import type { NetworkOptions, Proxy } from '../http/options.ts'
import { FAMILY_ATTEMPT_MS } from '../limits.ts'
import { printable } from '../log.ts'

/** What the other end of a connection shows of itself. */
export interface Shown {
  /** Who issued its certificate, in its own words. */
  readonly issuer: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** The code of Node's TLS for what is wrong with the chain. */
  readonly problem: string | undefined
}

/** Opens a connection, through the proxy if there is one; rejects with what the system or the proxy said. */
export async function openSocket(
  url: URL,
  { family, connectTimeoutMs }: NetworkOptions,
  proxy: Proxy | undefined,
  certificates: Certificates | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  const { hostname, port } = targetOf(url)
  if (proxy !== undefined) {
    const { openTunnel } = await import('../http/tunnel.ts')
    return openTunnel(proxy, targetOf(url), {
      timeoutMs: connectTimeoutMs,
      family,
      autoSelectFamilyAttemptTimeout: FAMILY_ATTEMPT_MS,
      ca: certificates?.ca,
    })
  }
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: Number(port),
      autoSelectFamily: family === undefined,
      autoSelectFamilyAttemptTimeout: FAMILY_ATTEMPT_MS,
      signal,
      ...(family === undefined ? {} : { family }),
    })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

/**
 * Reads the certificate of the other end and what is wrong with it. A chain that is not trusted is
 * read too, which is what this is for: nothing is ever sent on this connection.
 */
export function readChain(
  url: URL,
  socket: Socket,
  certificates: Certificates | undefined,
): Promise<Shown> {
  const { hostname } = targetOf(url)
  return new Promise((resolve, reject) => {
    const secured = connectTls(
      {
        socket,
        host: hostname,
        rejectUnauthorized: false,
        ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
        ...(certificates === undefined ? {} : { secureContext: certificates.secureContext }),
      },
      () => {
        const certificate = secured.getPeerCertificate()
        const { authorized, authorizationError } = secured as {
          authorized: boolean
          authorizationError?: Error | string
        }
        secured.destroy()
        const problem = authorized ? undefined : codeOf(authorizationError)
        const expiresAt = Date.parse(certificate.valid_to)
        resolve({ issuer: issuerOf(certificate), expiresAt, problem })
      },
    )
    secured.once('error', reject)
  })
}

/** A URL as something to connect to. */
export function targetOf({ protocol, hostname, port }: URL) {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  return { protocol, hostname: bare, port: port || (protocol === 'https:' ? '443' : '80') }
}

/** Node gives the code alone, as text; its types say `Error`. */
function codeOf(error: Error | string | undefined): string {
  if (typeof error === 'string') return error
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'CERT_UNTRUSTED'
}

function issuerOf({ issuer }: PeerCertificate): string {
  const names = [issuer?.CN, issuer?.O].flat().filter((name) => typeof name === 'string')
  return names.length === 0 ? 'nobody that it names' : printable(names.join(', '))
}
