import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { callbackify } from 'node:util'
import { PROXY_LOOKUP_MS } from '../limits.ts'

/** All addresses of a host name; rejects when there is none, or none that may be connected to. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>

/** The resolver as sockets call it. */
export function lookupBy(resolve: Resolve, family: 4 | 6 | undefined): LookupFunction {
  const resolveByCallback = callbackify(resolve)
  return (hostname, { all }, callback) => {
    resolveByCallback(hostname, (failure, found = []) => {
      const addresses = found.filter((one) => family === undefined || one.family === family)
      const [first] = addresses
      const error = failure ?? (first === undefined ? notFound(hostname) : null)
      if (all === true || first === undefined) callback(error, addresses)
      else callback(error, first.address, first.family)
    })
  }
}

/**
 * Asks for the right to connect to a name that a proxy will resolve. Inside such networks names of
 * the internet often have no address: not to find one is no refusal.
 */
export async function consult(resolve: Resolve, hostname: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((done) => {
    timer = setTimeout(done, PROXY_LOOKUP_MS)
  })
  try {
    await Promise.race([limit, resolve(hostname)])
  } catch (error) {
    // What the system's resolver says is about the name, not about the right.
    if ((error as NodeJS.ErrnoException).syscall !== 'getaddrinfo') throw error
  } finally {
    clearTimeout(timer)
  }
}

function notFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`no address of ${hostname}`), { code: 'ENOTFOUND' })
}
