import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { chooseHost } from '../../src/commands/choose-host.ts'
import { put, testMachine } from '../hosts/machine.ts'

/** A terminal at which somebody types this, with Cursor and Codex on the machine. */
async function chosen(answer: string | undefined): Promise<{ id: string; shown: string }> {
  const { system } = testMachine()
  put(join(system.home, '.cursor', 'mcp.json'), '{}')
  put(join(system.home, '.codex', 'config.toml'), '')
  const stdin = Object.assign(new PassThrough(), { isTTY: answer !== undefined })
  const stderr = new PassThrough()
  if (answer !== undefined) stdin.write(`${answer}\n`)
  const { id } = await chooseHost(system, { stdin, stderr } as unknown as NodeJS.Process)
  return { id, shown: String(stderr.read()) }
}

describe('at a terminal, the hosts of this machine are offered', () => {
  test.each([
    ['1', 'cursor'],
    ['2', 'codex'],
    ['codex', 'codex'],
  ])('%s is %s', async (answer, host) => {
    const { id, shown } = await chosen(answer)
    expect(id).toBe(host)
    expect(shown).toContain('1. Cursor (cursor)')
  })

  test.each(['', '3', 'zed'])('%j is none of them', async (answer) => {
    await expect(chosen(answer)).rejects.toThrow('There is no')
  })
})

test('without a terminal nobody is asked', async () => {
  await expect(chosen(undefined)).rejects.toThrow('Which host? Found here: cursor, codex.')
})
