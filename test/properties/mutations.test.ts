import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MUTATIONS } from './mutations.mjs'
import { PROPERTIES } from './table.ts'

test('every property has a fault that it must notice', () => {
  expect(Object.keys(MUTATIONS).toSorted()).toEqual(PROPERTIES.map(({ name }) => name).toSorted())
  expect(Object.values(MUTATIONS).filter((list) => list.length === 0)).toEqual([])
})

test.each(Object.values(MUTATIONS).flat())('%s: %j stands there once', (file, text) => {
  const source = readFileSync(join('src', file), 'utf8')
  expect(source.split(text)).toHaveLength(2)
})
