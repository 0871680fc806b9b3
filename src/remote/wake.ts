import { networkInterfaces } from 'node:os'
import { CLOCK_CHECK_MS, NETWORK_CHECK_MS } from '../limits.ts'

/**
 * Notices that the process was not running for a while: the machine slept, or somebody stopped us. A
 * timer that is late by more than `afterMs` of the wall clock says so, whichever clock drives it.
 *
 * @returns stops watching
 */
export function watchClock(
  afterMs: number,
  onWake: (sleptMs: number) => void,
  now: () => number = Date.now,
): () => void {
  const everyMs = Math.min(CLOCK_CHECK_MS, afterMs / 2)
  let last = now()
  const timer = setInterval(() => {
    const time = now()
    const sleptMs = time - last - everyMs
    last = time
    if (sleptMs > afterMs) onWake(sleptMs)
  }, everyMs).unref()
  return () => clearInterval(timer)
}

/**
 * Hands over the addresses of this machine from time to time: another network, a cable that was
 * pulled, a VPN that has ended leave connections behind on which nothing will ever come.
 *
 * @returns stops watching
 */
export function watchAddresses(onLook: (addresses: ReadonlySet<string>) => void): () => void {
  const timer = setInterval(() => {
    const entries = Object.values(networkInterfaces()).flatMap((addresses) => addresses!)
    onLook(new Set(entries.map(({ address }) => address)))
  }, NETWORK_CHECK_MS).unref()
  return () => clearInterval(timer)
}
