// @ts-check
/**
 * `npm run soak -- --minutes N [--seed S]`: traffic of three kinds (sessions, stateless, HTTP+SSE)
 * through three bridges, while everything fails at random. Ends with 1 when a promise was broken;
 * the seed that is printed repeats the run's choices.
 */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { packAndInstall } from '../support/packed.mjs'
import { ANSWER_MS, startSoakHost } from './host.mjs'
import { createRandom } from './random.mjs'
import { startSoakServer } from './server.mjs'

const MAX_GROWTH_MIB = 40
const SECRET = 'soak-secret'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '3' }, seed: { type: 'string' } },
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const minutes = Number(values.minutes)
process.stdout.write(`seed ${seed}, ${minutes} min\n`)

const { bin, folder } = await packAndInstall()
const home = mkdtempSync(join(tmpdir(), 'bridge-soak-'))
// A browser would leave a trace.
const trace = join(home, 'browser')
const opener = join(home, 'xdg-open')
writeFileSync(opener, `#!/bin/sh\ntouch '${trace}'\n`)
chmodSync(opener, 0o755)

/** @param {import('./server.mjs').Kind} kind @param {number} index */
async function run(kind, index) {
  const random = createRandom(seed + index)
  const server = await startSoakServer(kind, createRandom(seed + index + 100))
  const env = {
    PATH: `${home}:${process.env['PATH']}`,
    HOME: home,
    BRIDGE_HOME: join(home, kind),
    BRIDGE_WAKE_AFTER: '1s',
    BRIDGE_HEADER_AUTHORIZATION: `Bearer ${SECRET}`,
  }
  const args = [bin, server.url, '--ping-interval', '2s']
  if (kind === 'sse') args.push('--transport', 'sse')
  const host = startSoakHost(kind, random, args, env)
  await host.started()
  const until = Date.now() + minutes * 60_000
  let warm = 0
  /** @type {Record<string, number>} */
  const faults = {}
  /** @type {Record<string, () => unknown>} */
  const acts = {
    forget: () => server.forget(),
    cutStreams: () => server.cutStreams(),
    cutAll: () => server.cutAll(),
    trouble: () => server.trouble(0.2),
    peace: () => server.trouble(0),
    restart: () => server.restart(random.below(3_000)),
    stop: async () => {
      host.child.kill('SIGSTOP')
      await sleep(1_500 + random.below(1_500))
      host.child.kill('SIGCONT')
    },
    state: () => host.child.kill('SIGUSR2'),
  }
  while (Date.now() < until) {
    for (let count = random.below(60); count > 0; count--) {
      host.ask()
      if (random.chance(0.3)) server.say()
      await sleep(random.below(120))
    }
    host.check()
    const name = random.pick(Object.keys(acts))
    faults[name] = (faults[name] ?? 0) + 1
    await acts[name]?.()
    if (warm === 0 && Date.now() > until - minutes * 40_000) warm = host.memory()
  }
  server.trouble(0)
  const patience = Date.now() + ANSWER_MS
  while (host.open() > 0 && Date.now() < patience) await sleep(50)
  await sleep(100)
  host.check()
  if (host.open() > 0) host.complaints.push(`${host.open()} requests without an answer`)
  const growth = host.memory() - warm
  if (growth > MAX_GROWTH_MIB) host.complaints.push(`memory grew by ${growth.toFixed(0)} MiB`)
  for (const [nonce, count] of server.carriedOut) {
    if (count > 1) host.complaints.push(`${nonce} was carried out ${count} times`)
  }
  for (const [nonce, end] of host.calls) {
    if (end === 'result' && !server.carriedOut.has(nonce)) {
      host.complaints.push(`${nonce} has a result and was never carried out`)
    }
  }
  if (host.stderr().includes(SECRET)) host.complaints.push('a secret on stderr')
  await host.end()
  await server.close()
  return { kind, ...host.counts, faults, errors: host.errors, growth, complaints: host.complaints }
}

const kinds = /** @type {const} */ (['sessions', 'stateless', 'sse'])
const reports = await Promise.all(kinds.map(run))
// A run is judged by the kind of server, and by the browser that nobody opened.
let failed = 0
for (const { kind, asked, results, errors, growth, faults, complaints } of reports) {
  process.stdout.write(
    `${kind}: ${asked} asked, ${results} results, memory ${growth.toFixed(1)} MiB more\n` +
      `  faults ${JSON.stringify(faults)}\n  errors ${JSON.stringify(errors, null, 2)}\n`,
  )
  for (const complaint of complaints) process.stdout.write(`  BROKEN: ${complaint}\n`)
  if (complaints.length > 0) failed++
}
if (existsSync(trace)) {
  process.stdout.write('BROKEN: a browser was opened\n')
  failed++
}
for (const made of [home, folder]) rmSync(made, { recursive: true, force: true })
process.stdout.write(
  `again with --seed ${seed}\n${kinds.length + 1 - failed} passed, ${failed} failed\n`,
)
process.exitCode = failed === 0 ? 0 : 1
