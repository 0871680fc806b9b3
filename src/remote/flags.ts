import { RETRY_FOR_MS, WAKE_AFTER_MS } from '../limits.ts'
import { durationMs, type OptionSpec, text, type Values } from '../option-values.ts'

/** The flags that say how the link is kept alive. */
export const LINK_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'retry-for',
    value: 'duration',
    variable: 'BRIDGE_RETRY_FOR',
    help: 'Try a request again for this long when the server is away or busy and that does no harm; 0 never. Default: 20s.',
  },
  {
    name: 'ping-interval',
    value: 'duration',
    variable: 'BRIDGE_PING_INTERVAL',
    help: 'Ping the server this often, to notice dead connections and keep its session. Default: never.',
  },
]

/** How the link is kept alive. */
export interface LinkOptions {
  /** 0 never tries again. */
  readonly retryForMs: number
  readonly pingMs: number | undefined
  /** How far the clock jumps when the machine has slept; for tests that cannot wait. */
  readonly wakeAfterMs: number
}

/** Reads these flags; throws `BridgeError` for anything unusable. */
export function readLinkOptions(values: Values, env: NodeJS.ProcessEnv): LinkOptions {
  const retryFor = text(values['retry-for']) ?? env['BRIDGE_RETRY_FOR']
  return {
    retryForMs: retryFor === '0' ? 0 : (durationMs(retryFor) ?? RETRY_FOR_MS),
    // Off by default: a ping wakes servers that cost their owner nothing while they sleep, and what
    // pings are good for is had without them: TCP finds dead peers, a lost session is replaced.
    pingMs: durationMs(text(values['ping-interval']) ?? env['BRIDGE_PING_INTERVAL']),
    wakeAfterMs: durationMs(env['BRIDGE_WAKE_AFTER']) ?? WAKE_AFTER_MS,
  }
}
