import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EXIT_CODE_MEANINGS } from '../src/commands/topics.ts'
import { complaint } from '../src/complaint.ts'
import { BridgeError, EXIT_CODES } from '../src/errors.ts'

const document = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
const plain = { json: false, debug: false, dim: (text: string) => text }

const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), {
  code: 'ECONNREFUSED',
  syscall: 'connect',
})
const failure = new BridgeError('unreachable', 'No connection to http://127.0.0.1:9.', {
  hint: 'Is it running?',
  cause: new Error('fetch failed', { cause: refused }),
})

test('what failed, why, what to do, and where to look it up', () => {
  expect(complaint(failure, plain)).toBe(
    `bridge: No connection to http://127.0.0.1:9. [unreachable]
  Cause: connect ECONNREFUSED 127.0.0.1:9
  Is it running?
`,
  )
})

test('one line for a program', () => {
  expect(JSON.parse(complaint(failure, { ...plain, json: true }))).toEqual({
    error: {
      code: 'unreachable',
      message: 'No connection to http://127.0.0.1:9.',
      hint: 'Is it running?',
      cause: 'connect ECONNREFUSED 127.0.0.1:9',
    },
  })
})

test('a mistake of ours takes two lines, and shows its place to those who ask', () => {
  const mistake = new TypeError('x is not a function\nand more')
  expect(complaint(mistake, plain)).toBe(
    `bridge: This should not happen: TypeError: x is not a function and more [unexpected]
  Run it again with BRIDGE_LOG=debug, and report what it prints.
`,
  )
  expect(complaint(mistake, { ...plain, debug: true })).toContain('complaint.test.ts')
  expect(complaint('odd', plain)).toContain('This should not happen: odd')
})

test('a cause that is not the system’s may quote a secret, and is left out', () => {
  const cause = new SyntaxError('Unexpected token s3cret')
  expect(complaint(new BridgeError('usage', 'Not JSON.', { cause }), plain)).toBe(
    'bridge: Not JSON. [usage]\n',
  )
})

test('docs/errors.md explains every code', () => {
  const rows = [...document.matchAll(/^\| `(\w+)` +\| (\d) /gm)]
  expect(Object.fromEntries(rows.map(([, code, exit]) => [code, Number(exit)]))).toEqual({
    ...EXIT_CODES,
    unexpected: 1,
  })
})

test('docs/errors.md and bridge help exit-codes say the same', () => {
  const rows = [...document.matchAll(/^\| (\d|128 \+ n) +\| (.*?) +\|$/gm)]
  expect(rows.map(([, code, meaning]) => [code, meaning])).toEqual(EXIT_CODE_MEANINGS)
})
