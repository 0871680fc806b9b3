import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { startWorker } from '../worker/dev/serve.mjs'
import { type Outcome, runPair } from '../square/pair.ts'
import { PAIRS } from '../square/run.ts'
import { type Square, startSquare } from '../square/servers.ts'

let square: Square
beforeAll(async () => {
  square = await startSquare(startWorker)
})
afterAll(() => square.stop())

const outcomes: Outcome[] = []

describe.concurrent('every host at every server', () => {
  test.each(PAIRS)('$client at $server', async ({ client, server }) => {
    const starts = await runPair(client, server, square.servers[server], inject('bin'))
    outcomes.push(...starts)
    expect(starts.map(({ start, problems }) => ({ start, problems }))).toEqual([
      { start: 'cold', problems: [] },
      { start: 'cached', problems: [] },
    ])
  })
})
