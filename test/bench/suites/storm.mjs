// @ts-check
import { call } from '../messages.mjs'
import { ready } from '../suite.mjs'

const CALLS = 20

/** @type {import('../suite.mjs').Suite} */
export const storm = {
  name: 'refresh-storm',
  title: `${CALLS} calls at once, the access token of all of them refused`,
  rounds: 5,
  only: ['bridge', 'mcp-remote'],
  units: { wall: 'ms', refreshes: 'requests to the token endpoint', requests: '', lost: '' },
  async run(bench, figures) {
    const host = await ready(bench, '/guarded', { signIn: await bench.near.signIn() })
    host.write(call(1))
    await host.lines(2)
    await bench.near.revoke()
    await bench.near.requests()
    let answered = 0
    host.listen((text) => {
      if (text.includes('"result":')) answered++
    })
    const begun = performance.now()
    host.write(Array.from({ length: CALLS }, (_, index) => call(index + 2)).join(''))
    try {
      await host.lines(CALLS + 2)
      figures['wall'] = performance.now() - begun
    } finally {
      figures['lost'] = CALLS - answered
      const requests = await bench.near.requests()
      figures['refreshes'] = requests.filter(([, what]) => what.endsWith('/token')).length
      figures['requests'] = requests.length
    }
    await host.end()
  },
}
