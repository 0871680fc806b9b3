import { createNetwork, type Network } from '../../src/http/network.ts'
import { type NetworkOptions, readNetworkOptions } from '../../src/http/options.ts'
import { keptLog } from './log.ts'

/** The options of somebody who gives none, but these. */
export function networkOptions(wanted: Partial<NetworkOptions> = {}): NetworkOptions {
  return { ...readNetworkOptions({}, {}), ...wanted }
}

/** A network for tests that are not about it. */
export function plainNetwork(wanted: Partial<NetworkOptions> = {}): Network {
  return createNetwork(networkOptions(wanted), keptLog())
}
