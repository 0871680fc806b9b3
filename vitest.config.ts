import { defineConfig } from 'vitest/config'

/** Real processes on a busy two-core machine; every wait inside a test has its own deadline. */
const patient = { testTimeout: 60_000, hookTimeout: 120_000 }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/pack*.test.ts', 'test/worker/**'],
        },
      },
      {
        test: { name: 'pack', include: ['test/pack*.test.ts'], ...patient },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/pack.ts'],
          ...patient,
        },
      },
    ],
  },
})
