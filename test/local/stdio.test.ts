import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { HostLine } from '../../src/channel.ts'
import { MAX_QUEUED_HOST_BYTES } from '../../src/limits.ts'
import { openStdio } from '../../src/local/stdio.ts'
import { until } from '../support/until.ts'

function host() {
  const stdin = new PassThrough()
  return { stdin, local: openStdio(stdin, new PassThrough()) }
}

const textOf = (line: HostLine): string =>
  line.kind === 'frame' ? Buffer.concat(line.frame.chunks).toString('utf8') : line.kind

test('lines are handed over one after the other, and the last one needs no end', async () => {
  const { stdin, local } = host()
  const lines: string[] = []
  let release = (): void => {}
  const reading = local.read((line) => {
    lines.push(textOf(line))
    return lines.length > 1
      ? undefined
      : new Promise((resolve) => {
          release = resolve
        })
  })
  stdin.write('{"id":1}\n{"id":2}\n')
  await until('the first line', () => lines.length === 1)
  stdin.end('{"id":3}')
  await local.ended
  expect(lines).toEqual(['{"id":1}'])
  release()
  await reading
  expect(lines).toEqual(['{"id":1}', '{"id":2}', '{"id":3}'])
})

test.each([
  ['that breaks', (stdin: PassThrough) => stdin.destroy(new Error('EIO'))],
  ['that is closed', (stdin: PassThrough) => stdin.destroy()],
])('a stdin %s has ended, once', async (_, happen) => {
  const { stdin, local } = host()
  const lines: string[] = []
  const reading = local.read((line) => void lines.push(textOf(line)))
  stdin.write('{"id":1}\n{"id":')
  await until('the first line', () => lines.length === 1)
  happen(stdin)
  await local.ended
  await reading
  expect(lines).toEqual(['{"id":1}', 'unparsable'])
})

test('a host that says more than can be sent is not read, until there is room', async () => {
  const { stdin, local } = host()
  const line = `"${'x'.repeat(MAX_QUEUED_HOST_BYTES / 2)}"\n`
  let release = (): void => {}
  const room = new Promise<void>((resolve) => {
    release = resolve
  })
  let taken = 0
  const reading = local.read(() => {
    taken++
    return room
  })
  stdin.write(line)
  stdin.write(line)
  await until('the pause', () => stdin.isPaused())
  stdin.end(line)
  release()
  await reading
  expect(taken).toBe(3)
  expect(stdin.isPaused()).toBe(false)
})
