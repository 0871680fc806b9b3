// @ts-check
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { INITIALIZE } from '../messages.mjs'

/** @type {import('../suite.mjs').Suite} */
export const coldCache = {
  name: 'npx-cold',
  title: 'npx with an empty cache to the initialize answer (the bridge from its tarball)',
  rounds: 3,
  only: ['bridge', 'mcp-remote'],
  online: true,
  units: { wall: 'ms' },
  async run(bench, figures) {
    const cache = mkdtempSync(join(tmpdir(), 'bridge-bench-npm-'))
    try {
      const begun = performance.now()
      const host = bench.startByNpx(cache)
      host.write(INITIALIZE)
      await host.lines(1)
      figures['wall'] = performance.now() - begun
      await host.end()
    } finally {
      rmSync(cache, { recursive: true, force: true, maxRetries: 3 })
    }
  },
}
