import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { filesLeftOut } from './test/gate/parts.mjs'

/** What is waited for comes soon on an idle machine; on a busy one a second says nothing. */
const expectations = { poll: { timeout: 20_000 } }

/** Real processes on a busy two-core machine; every wait inside a test has its own deadline. */
const patient = { testTimeout: 120_000, hookTimeout: 180_000, expect: expectations }

const notHere = filesLeftOut(process.platform)

/** V8 makes no compiled code for the disk while it counts what runs (npm run coverage). */
const isCounting = process.env['BRIDGE_COVERAGE'] !== undefined
const uncounted = isCounting ? ['test/e2e/compiled.test.ts'] : []

export default defineConfig({
  test: {
    // Most of the time a test waits for processes: one worker per core is not too much.
    maxWorkers: availableParallelism(),
    projects: [
      {
        test: {
          name: 'unit',
          testTimeout: 30_000,
          expect: expectations,
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/e2e/**',
            'test/pack*.test.ts',
            'test/worker/**',
            '**/node_modules/**',
            ...notHere,
          ],
          // Its ES modules are what is bundled; Node by itself takes the UMD file.
          server: { deps: { inline: ['jsonc-parser'] } },
        },
      },
      {
        test: { name: 'pack', include: ['test/pack*.test.ts'], ...patient },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [...notHere, ...uncounted],
          globalSetup: ['test/support/pack.ts'],
          setupFiles: ['test/support/connections.ts'],
          ...patient,
        },
      },
      {
        // Run by `npm run attack`, which knows what is attacked and prints the table.
        test: {
          name: 'attack',
          include: ['test/attack/*.attack.ts'],
          globalSetup: ['test/attack/setup.ts'],
          ...patient,
        },
      },
    ],
  },
})
