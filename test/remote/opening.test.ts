import { expect, test } from 'vitest'
import { readFrame } from '../../src/frame.ts'
import { announcedChanges, brokenPromise, createOpening } from '../../src/remote/opening.ts'

const text = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const frame = (value: unknown) => readFrame(text(value))!

const result = (capabilities: object, protocolVersion = '2025-11-25') =>
  text({ protocolVersion, capabilities })

test.each([
  [{ tools: {} }, { tools: {} }, undefined],
  [{ tools: {} }, { tools: {}, prompts: {} }, undefined],
  [{ tools: { listChanged: true } }, { tools: {} }, undefined],
  [{ tools: {}, prompts: {} }, { tools: {} }, 'it no longer offers prompts'],
  [
    { resources: { subscribe: true } },
    { resources: { subscribe: false } },
    'it no longer offers resources/subscribe',
  ],
])('%j, then %j: %s', (before, after, broken) => {
  expect(brokenPromise(result(before), result(after))).toBe(broken)
})

test('another version is another session', () => {
  expect(brokenPromise(result({}), result({}, '2025-06-18'))).toMatch(/2025-06-18 instead of/)
})

test('only what was announced is said to have changed', () => {
  const told = result({
    tools: { listChanged: true },
    prompts: {},
    resources: { listChanged: true },
  })
  expect(announcedChanges(told).map(({ method }) => method)).toEqual([
    'notifications/tools/list_changed',
    'notifications/resources/list_changed',
  ])
})

test('what a new session needs again is what is valid now', () => {
  const opening = createOpening()
  opening.note(frame({ id: 0, method: 'initialize', params: {} }))
  expect(opening.initialize()).toBeUndefined()
  opening.answered(frame({ id: 0, result: { protocolVersion: 'x' } }))
  expect(opening.initialize()?.id).toBe('0')
  opening.note(frame({ method: 'notifications/initialized' }))
  for (const [id, uri] of ['a', 'b', 'a'].entries()) {
    opening.note(frame({ id, method: 'resources/subscribe', params: { uri } }))
  }
  opening.note(frame({ id: 7, method: 'resources/unsubscribe', params: { uri: 'b' } }))
  opening.note(frame({ id: 8, method: 'logging/setLevel', params: { level: 'info' } }))
  opening.note(frame({ id: 9, method: 'logging/setLevel', params: { level: 'debug' } }))
  expect(opening.settings().map(({ id }) => id)).toEqual(['9', '2'])
  // A session of its own begins with nothing.
  opening.note(frame({ id: 10, method: 'initialize', params: {} }))
  opening.answered(frame({ id: 10, result: {} }))
  expect(opening.settings()).toEqual([])
  expect(opening.initialized()).toBeUndefined()
})
