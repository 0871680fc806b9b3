import diagnostics from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { createConnections, type Use } from '../../src/http/connections.ts'
import { MAX_TRUSTED_IDLE_MS } from '../../src/limits.ts'

test.each([
  [100, true],
  [MAX_TRUSTED_IDLE_MS - 1, true],
  [MAX_TRUSTED_IDLE_MS + 1, false],
])(
  'a server that promises a minute, idle for %i ms: kept for what must not happen twice: %s',
  (idleMs, kept) => {
    let now = 0
    const connections = createConnections(() => now)
    onTestFinished(connections.close)
    let destroyed = false
    const socket = Object.assign(new EventEmitter(), { destroy: () => (destroyed = true) })
    const use: Use = {}
    connections.starting(use)
    diagnostics.channel('undici:client:sendHeaders').publish({ socket })
    connections.promised('timeout=60')
    connections.ended(use)
    now = idleMs
    connections.dropDoubtful(() => true)
    expect(destroyed).toBe(false)
    connections.dropDoubtful(() => false)
    expect(destroyed).toBe(!kept)
  },
)
