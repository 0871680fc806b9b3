import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['../support/connections.ts'],
    // Each file starts a Worker of its own. On a busy machine that takes ten seconds.
    hookTimeout: 60_000,
    testTimeout: 30_000,
    maxWorkers: 2,
  },
})
