import { expect, test } from 'vitest'
import { columnsOf, createPaint, isColored } from '../src/terminal.ts'

const tty = { isTTY: true, columns: 80 }
const pipe = {}

test.each<[string, { isTTY?: boolean }, NodeJS.ProcessEnv, boolean, boolean]>([
  ['a terminal', tty, { TERM: 'xterm' }, false, true],
  ['a pipe', pipe, { TERM: 'xterm' }, false, false],
  ['a dumb terminal', tty, { TERM: 'dumb' }, false, false],
  ['NO_COLOR', tty, { NO_COLOR: '1' }, false, false],
  ['an empty NO_COLOR', tty, { NO_COLOR: '' }, false, true],
  ['FORCE_COLOR', pipe, { FORCE_COLOR: '1' }, false, true],
  ['an empty FORCE_COLOR', pipe, { FORCE_COLOR: '' }, false, true],
  ['FORCE_COLOR against NO_COLOR', pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  ['FORCE_COLOR=0', tty, { FORCE_COLOR: '0' }, false, false],
  ['--no-color against FORCE_COLOR', tty, { FORCE_COLOR: '1' }, true, false],
])('%s', (_, stream, env, noColor, colored) => {
  expect(isColored(stream, env, noColor)).toBe(colored)
  const { red } = createPaint(stream, env, noColor)
  expect(red('x')).toBe(colored ? '\u001b[31mx\u001b[39m' : 'x')
})

test('nothing is painted around nothing', () => {
  expect(createPaint(tty, {}).bold('')).toBe('')
})

test('only a terminal has a width', () => {
  expect(columnsOf(tty, 120)).toBe(80)
  expect(columnsOf({ columns: 80 }, 120)).toBe(120)
  expect(columnsOf({ isTTY: true, columns: 0 }, 120)).toBe(120)
})
