import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/worker/**'],
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/pack.ts'],
          // Real processes on a busy two-core machine; every wait inside has its own deadline.
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
