// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { line } from '../messages.mjs'
import { inFlight, quantile, ready } from '../suite.mjs'

/** A start leaves garbage and lazily loaded code behind it; idle is what is there a moment later. */
const SETTLE_MS = 1_000

const OF_PROCESSES = ['floor', 'bridge', 'mcp-remote', 'supergateway']

/** supergateway passes no notification on, and takes a minute for so many messages. */
const AMONG_THEM = ['floor', 'bridge', 'mcp-remote']

/** @type {import('../suite.mjs').Suite} */
export const idle = {
  name: 'memory',
  title: 'memory when idle: one instance, ten instances',
  rounds: 1,
  only: OF_PROCESSES,
  units: { idle: 'MiB RSS', ten: 'MiB PSS' },
  async run(bench, figures) {
    const hosts = []
    const instances = Math.max(2, Math.ceil(10 * bench.scale))
    while (hosts.length < instances) hosts.push(await ready(bench, '/json'))
    await sleep(SETTLE_MS * bench.scale)
    const usages = hosts.map((host) => host.usage())
    const sizes = usages.map(({ rssKiB }) => rssKiB)
    figures['idle'] = quantile(sizes, 0.5) / 1024
    figures['ten'] = usages.reduce((sum, { pssKiB }) => sum + pssKiB, 0) / 1024
    await Promise.all(hosts.map((host) => host.end()))
  },
}

/** @type {import('../suite.mjs').Suite} */
export const growth = {
  name: 'growth',
  title: 'memory after 200,000 messages (100,000 calls and their answers)',
  rounds: 1,
  only: AMONG_THEM,
  units: { after: 'MiB RSS', growth: 'MiB more than after 20,000' },
  async run(bench, figures) {
    const host = await ready(bench, '/json')
    const part = Math.ceil(10_000 * bench.scale)
    await inFlight(host, part)
    const before = host.usage().rssKiB
    for (let n = 1; n < 10; n++) await inFlight(host, part)
    const { rssKiB } = host.usage()
    figures['after'] = rssKiB / 1024
    figures['growth'] = (rssKiB - before) / 1024
    await host.end()
  },
}

/** What a host that does not read leaves waiting. */
const UNREAD_MS = 3_000

/** @type {import('../suite.mjs').Suite} */
export const slowReader = {
  name: 'slow-reader',
  title: '200 MB pushed while the host does not read for 3 s',
  rounds: 1,
  only: AMONG_THEM,
  units: { peak: 'MiB above idle', lost: '' },
  async run(bench, figures) {
    const host = await ready(bench, '/json')
    const idleKiB = host.usage().rssKiB
    const count = Math.ceil(50_000 * bench.scale)
    const before = host.count()
    host.pause()
    host.write(line({ id: 1, method: 'x', params: { push: count, size: 4000 } }))
    await sleep(UNREAD_MS * bench.scale)
    const { peakKiB } = host.usage()
    host.resume()
    await host.lines(before + count + 1)
    figures['peak'] = (peakKiB - idleKiB) / 1024
    figures['lost'] = count + 1 - (host.count() - before)
    await host.end()
  },
}
