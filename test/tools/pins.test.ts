import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPins, type PinPlace } from '../../src/tools/pins.ts'
import { emptyFolder } from '../store/folder.ts'
import { keptLog } from '../support/log.ts'
import { until } from '../support/until.ts'

function place(profile = 'default'): PinPlace {
  return {
    folder: emptyFolder(),
    server: new URL('https://mcp.example/mcp?key=s3cret'),
    profile,
  }
}

/** Waits until a complete list is on disk. */
async function kept({ folder }: PinPlace): Promise<string> {
  return until('the pins', () => {
    const [name] = existsSync(folder)
      ? readdirSync(folder).filter((file) => file.endsWith('.json'))
      : []
    if (name === undefined) return undefined
    const text = readFileSync(join(folder, name), 'utf8')
    return text.includes('"complete":true') ? join(folder, name) : undefined
  })
}

test('the first list is taken as it is, whatever its number of pages', async () => {
  const at = place()
  const first = openPins(at, false, keptLog())
  expect(first.judge('a', '1')).toBe('same')
  first.endPage(false)
  expect(first.judge('b', '2')).toBe('same')
  first.endPage(true)
  expect(first.judge('c', '3')).toBe('added')
  const file = await kept(at)
  expect(file).not.toContain('mcp')
  expect(readFileSync(file, 'utf8')).not.toContain('s3cret')
  expect(statSync(file).mode & 0o777).toBe(0o600)

  const next = openPins(at, false, keptLog())
  expect(['a', 'b', 'c'].map((name) => next.judge(name, '1'))).toEqual(['same', 'changed', 'added'])
})

test('accept takes what comes now', async () => {
  const at = place()
  const first = openPins(at, false, keptLog())
  first.judge('a', '1')
  first.endPage(true)
  await kept(at)
  const accepting = openPins(at, true, keptLog())
  expect(accepting.judge('a', '2')).toBe('same')
  accepting.endPage(true)
  await until('the new pin', async () => readFileSync(await kept(at), 'utf8').includes('"a":"2"'))
  expect(openPins(at, false, keptLog()).judge('a', '2')).toBe('same')
})

test.each(['{', '{"layout":99,"complete":true,"tools":{}}'])(
  'pins that cannot be read make every tool a new one: %s',
  async (text) => {
    const at = place()
    const first = openPins(at, false, keptLog())
    first.judge('a', '1')
    first.endPage(true)
    writeFileSync(await kept(at), text)
    const log = keptLog()
    expect(openPins(at, false, log).judge('a', '1')).toBe('added')
  },
)
