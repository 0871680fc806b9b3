import { describe, expect, test } from 'vitest'
import { readCommandLine } from '../../src/arguments.ts'
import { readToolRules, type ToolRules } from '../../src/tools/options.ts'
import { nameJudge } from '../../src/tools/rules.ts'

function rules(args: readonly string[], env: NodeJS.ProcessEnv = {}): ToolRules {
  return readToolRules(readCommandLine(['https://mcp.example/mcp', ...args]).values, env)
}

describe('a pattern', () => {
  test.each<[string, string, boolean]>([
    ['delete_note', 'delete_note', true],
    ['delete_note', 'delete_notes', false],
    ['delete_note', 'Delete_Note', false],
    ['delete_*', 'delete_', true],
    ['delete_*', 'delete_all.notes', true],
    ['*', '', true],
    ['*_note', 'add_note', true],
    ['*_note', 'add_note_', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['get_?', 'get_x', true],
    ['get_?', 'get_', false],
    ['get_?', 'get_😀', true],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['a|b', 'a', false],
    ['(x)', '(x)', true],
    ['**', 'anything\nat all', true],
  ])('%j on %j: %s', (pattern, name, fits) => {
    const refusal = nameJudge(rules(['--ignore-tool', pattern]))(name)
    expect(refusal).toBe(fits ? `--ignore-tool ${pattern}` : undefined)
  })

  test('with many stars costs no more than length times length', () => {
    const judge = nameJudge(rules(['--ignore-tool', `${'*a'.repeat(50)}b`]))
    const before = performance.now()
    expect(judge('a'.repeat(100_000))).toBeUndefined()
    expect(performance.now() - before).toBeLessThan(5_000)
  })
})

test('--allow-tool lets nothing else through, and --ignore-tool wins', () => {
  const judge = nameJudge(
    rules(['--allow-tool', 'get_*', '--allow-tool', 'whoami', '--ignore-tool', 'get_job']),
  )
  expect(judge('get_note')).toBeUndefined()
  expect(judge('whoami')).toBeUndefined()
  expect(judge('add_note')).toBe('--allow-tool get_* whoami')
  expect(judge('get_job')).toBe('--ignore-tool get_job')
})

describe('the options', () => {
  test('are read from the environment as well, and a flag wins', () => {
    const env = { BRIDGE_ALLOW_TOOL: 'a, b c', BRIDGE_READ_ONLY: '1', BRIDGE_PIN_TOOLS: 'strict' }
    expect(rules([], env)).toEqual({
      allow: ['a', 'b', 'c'],
      ignore: [],
      readOnly: true,
      pin: 'strict',
    })
    expect(rules(['--allow-tool', 'x', '--pin-tools'], env)).toMatchObject({
      allow: ['x'],
      pin: 'warn',
    })
  })

  test.each<[readonly string[], NodeJS.ProcessEnv, string | undefined]>([
    [[], {}, undefined],
    [['--pin-tools'], {}, 'warn'],
    [['--pin-tools=strict'], {}, 'strict'],
    [['--pin-tools=accept'], {}, 'accept'],
    [[], { BRIDGE_PIN_TOOLS: '1' }, 'warn'],
    [[], { BRIDGE_PIN_TOOLS: '0' }, undefined],
    [['--pin-tools=strict'], { BRIDGE_PIN_TOOLS: 'accept' }, 'strict'],
  ])('%j %j: pins %s', (args, env, pin) => {
    expect(rules(args, env).pin).toBe(pin)
  })

  test('--pin-tools does not take the next word', () => {
    const line = readCommandLine(['--pin-tools', 'https://mcp.example/mcp'])
    expect(line.operands).toEqual(['https://mcp.example/mcp'])
  })

  test('--pin-tools knows three words', () => {
    expect(() => rules(['--pin-tools=hard'])).toThrow('--pin-tools cannot be hard.')
  })
})
