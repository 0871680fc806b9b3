import { execFileSync, spawnSync } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { initialize, startBridge } from '../support/bridge.ts'
import { startSessionServer } from '../support/session-server.ts'

/** Whether this machine lets us make networks: Linux, iproute2, and the right to. */
const NAME = `bridge-${process.pid}`
const possible = spawnSync('ip', ['netns', 'add', NAME]).status === 0
if (possible) execFileSync('ip', ['netns', 'delete', NAME])

const ip = (...words: string[]): void => void execFileSync('ip', words)

/** A network of two: the server's side here, the bridge's side in a namespace of its own. */
function makeNetwork(): { address: string; namespace: string; outside: string; inside: string } {
  const [outside, inside] = [`bro${process.pid % 10_000}`, `bri${process.pid % 10_000}`]
  ip('netns', 'add', NAME)
  onTestFinished(() => ip('netns', 'delete', NAME))
  ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside)
  ip('link', 'set', inside, 'netns', NAME)
  ip('addr', 'add', '10.213.7.1/24', 'dev', outside)
  ip('link', 'set', outside, 'up')
  const within = (...words: string[]): void => ip('netns', 'exec', NAME, 'ip', ...words)
  within('addr', 'add', '10.213.7.2/24', 'dev', inside)
  within('link', 'set', inside, 'up')
  return { address: '10.213.7.1', namespace: NAME, outside, inside }
}

// Where networks cannot be made, what can be shown without is in wake.test.ts.
test.runIf(possible)(
  'a network that goes away and comes back costs a call its answer at most',
  async () => {
    const { address, namespace, inside } = makeNetwork()
    let held = 0
    const server = await startSessionServer({
      behaviour: { 'tools/call': () => void held++ },
      address,
    })
    const bridge = startBridge(server.url, { args: ['--allow-http'], namespace })
    bridge.write(initialize(0))
    await bridge.answer(0)
    bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
    await expect.poll(() => server.streams.size).toBe(1)
    const stream = server.streams.get('session-1')
    bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
    await expect.poll(() => held).toBe(1)
    ip('netns', 'exec', namespace, 'ip', 'link', 'set', inside, 'down')
    const { error } = await bridge.answer(1, 8_000)
    expect(error?.message).toMatch(/the network has changed\. The tool may have run/)
    bridge.write({ jsonrpc: '2.0', id: 2, method: 'tools/list' })
    await bridge.state('"retry"')
    ip('netns', 'exec', namespace, 'ip', 'link', 'set', inside, 'up')
    expect(await bridge.answer(2, 15_000)).toMatchObject({ result: {} })
    await expect
      .poll(() => server.streams.get('session-1') !== stream, { timeout: 15_000 })
      .toBe(true)
  },
)
