import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { startWorker } from '../worker/dev/serve.mjs'
import { type Outcome, runPair } from '../square/pair.ts'
import { PAIRS } from '../square/run.ts'
import { type Square, startSquare } from '../square/servers.ts'
import { squareTable } from '../square/table.ts'

/** A pair is two starts with all features, and others run beside it on a busy machine. */
const PAIR_MS = 240_000

let square: Square
beforeAll(async () => {
  square = await startSquare(startWorker)
})
afterAll(() => square.stop())

const outcomes: Outcome[] = []

describe.concurrent('every host at every server', () => {
  test.each(PAIRS)(
    '$client at $server',
    async ({ client, server }) => {
      const starts = await runPair(client, server, square.servers[server], inject('bin'))
      outcomes.push(...starts)
      expect(starts.map(({ start, problems }) => ({ start, problems }))).toEqual([
        { start: 'cold', problems: [] },
        { start: 'cached', problems: [] },
      ])
    },
    PAIR_MS,
  )
})

test('the README says what happened', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [, , ...rows] = /^\| server [^]*?(?=\n\n)/m.exec(readme)![0].split('\n')
  const cells = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  expect(cells).toEqual(squareTable(outcomes))
})
