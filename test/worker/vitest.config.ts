import { defineConfig } from 'vitest/config'
import { filesLeftOut } from '../gate/parts.mjs'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Of the whole repository: only those of this folder are found here.
    exclude: filesLeftOut(process.platform).map((file) => file.replace('test/worker/', '')),
    setupFiles: ['../support/connections.ts'],
    // Each file starts a Worker of its own. On a busy machine that takes ten seconds.
    hookTimeout: 60_000,
    testTimeout: 30_000,
    maxWorkers: 2,
  },
})
