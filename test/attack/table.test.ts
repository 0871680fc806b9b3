import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { markdown } from './report.mjs'
import { GROUPS } from './table.ts'

const rows = GROUPS.flatMap(({ title, attacks }) =>
  attacks.map(({ name, attack, expectation }) => ({ group: title, name, attack, expectation })),
)

test('docs/attacks.md shows the rows that are run (npm run attack -- --markdown writes it)', async () => {
  const document = fileURLToPath(new URL('../../docs/attacks.md', import.meta.url))
  await expect(markdown(rows)).toMatchFileSnapshot(document)
})

test('every row has a name of its own that --only can take', () => {
  const names = rows.map(({ name }) => name)
  expect(names.filter((name) => !/^[\w.:-]+$/.test(name))).toEqual([])
  expect(new Set(names).size).toBe(names.length)
})

test('every group is run', () => {
  const runs = readdirSync(new URL('.', import.meta.url)).filter((name) =>
    name.endsWith('.attack.ts'),
  )
  expect(runs).toHaveLength(GROUPS.length)
})
