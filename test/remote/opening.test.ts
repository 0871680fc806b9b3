import { expect, test } from 'vitest'
import { readFrame } from '../../src/frame.ts'
import { MAX_SUBSCRIPTIONS } from '../../src/limits.ts'
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

test('who promised nothing breaks nothing', () => {
  expect(brokenPromise(text({ protocolVersion: 'x' }), text({ protocolVersion: 'x' }))).toBe(
    undefined,
  )
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

test('a refused initialize opens nothing', () => {
  const opening = createOpening()
  opening.note(frame({ id: 0, method: 'initialize' }))
  opening.answered(frame({ id: 0, error: { code: -32603, message: 'no' } }))
  expect(opening.initialize()).toBeUndefined()
})

test('what is subscribed to without end is kept up to a limit', () => {
  const opening = createOpening()
  for (let id = 0; id <= MAX_SUBSCRIPTIONS; id++) {
    opening.note(frame({ id, method: 'resources/subscribe', params: { uri: `a://${id}` } }))
  }
  expect(opening.settings()).toHaveLength(MAX_SUBSCRIPTIONS)
})

test.each([{ params: {} }, {}])('a subscription to nothing is kept once, as it is: %j', (rest) => {
  const opening = createOpening()
  for (const id of [1, 2]) opening.note(frame({ id, method: 'resources/subscribe', ...rest }))
  expect(opening.settings().map(({ id }) => id)).toEqual(['2'])
})
