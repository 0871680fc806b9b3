import { EventEmitter } from 'node:events'
import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { readFrame } from '../../src/frame.ts'
import { STDOUT_COPY_BYTES, STDOUT_HIGH_WATER_BYTES } from '../../src/limits.ts'
import { openOutput } from '../../src/local/output.ts'

/** A stdout whose reader takes what is written only when told to. */
function pipe(highWaterMark = 16 * 1024) {
  const writes: string[] = []
  const waiting: (() => void)[] = []
  let reading = true
  const stream = new Writable({
    highWaterMark,
    write(chunk, _encoding, done) {
      writes.push(String(chunk))
      if (reading) done()
      else waiting.push(done)
    },
  })
  return {
    stream,
    writes,
    stop: () => {
      reading = false
    },
    go: () => {
      reading = true
      for (const done of waiting.splice(0)) done()
    },
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const frame = (id: number, size = 0) => readFrame(`{"id":${id},"result":"${'x'.repeat(size)}"}`)!

async function settled(promise: Promise<void> | undefined): Promise<boolean> {
  let done = false
  void promise?.then(() => {
    done = true
  })
  await turn()
  return done
}

test('all frames of one turn leave in one write, one line each', async () => {
  const { stream, writes } = pipe()
  const output = openOutput(stream)
  for (const id of [1, 2, 3]) expect(output.send(frame(id))).toBeUndefined()
  expect(writes).toEqual([])
  await turn()
  expect(writes).toEqual(['{"id":1,"result":""}\n{"id":2,"result":""}\n{"id":3,"result":""}\n'])
  void output.send(frame(4))
  await turn()
  expect(writes).toHaveLength(2)
})

test('large frames leave whole and in order', async () => {
  const { stream, writes } = pipe()
  const output = openOutput(stream)
  const large = frame(2, STDOUT_COPY_BYTES)
  for (const each of [frame(1), large, frame(3)]) void output.send(each)
  await output.flush()
  expect(writes.join('')).toBe(
    `{"id":1,"result":""}\n${large.chunks.join('')}\n{"id":3,"result":""}\n`,
  )
})

describe('a host that does not read', () => {
  test('makes senders wait above the mark, and only as long as it does not read', async () => {
    const { stream, stop, go } = pipe()
    const output = openOutput(stream)
    stop()
    expect(output.send(frame(1, 1000))).toBeUndefined()
    await turn()
    const wait = output.send(frame(2, STDOUT_HIGH_WATER_BYTES))
    expect(wait).toBeDefined()
    expect(output.send(frame(3))).toBe(wait)
    expect(await settled(wait)).toBe(false)
    go()
    expect(await settled(wait)).toBe(true)
    await output.flush()
    expect(output.send(frame(4))).toBeUndefined()
  })

  test('makes senders wait, too, for what is not written yet', async () => {
    const { stream, writes, stop, go } = pipe()
    const output = openOutput(stream)
    stop()
    const first = output.send(frame(1, STDOUT_HIGH_WATER_BYTES))
    await turn()
    const second = output.send(frame(2, STDOUT_HIGH_WATER_BYTES))
    expect(second).toBe(first)
    stream.emit('drain') // of the first: the second still waits for its turn
    let count = 0
    void second?.then(() => {
      count = writes.length
    })
    go()
    await output.flush()
    await turn()
    expect(count).toBeGreaterThan(1)
  })

  test('makes the end wait for the last byte', async () => {
    const { stream, writes, stop, go } = pipe()
    const output = openOutput(stream)
    stop()
    void output.send(frame(1))
    void output.send(frame(2))
    const flushed = output.flush()
    expect(await settled(flushed)).toBe(false)
    go()
    await flushed
    expect(writes.join('')).toBe('{"id":1,"result":""}\n{"id":2,"result":""}\n')
  })
})

test('a file takes everything at once: nobody waits for it', async () => {
  const { stream, writes } = pipe(Number.MAX_SAFE_INTEGER)
  const output = openOutput(stream)
  const wait = output.send(frame(1, STDOUT_HIGH_WATER_BYTES))
  expect(wait).toBeDefined()
  expect(await settled(wait)).toBe(true)
  expect(writes.join('')).toHaveLength(STDOUT_HIGH_WATER_BYTES + '{"id":1,"result":""}\n'.length)
})

describe('a host that is gone', () => {
  test.each<[string, (stream: EventEmitter) => void]>([
    [
      'EPIPE',
      (stream) => stream.emit('error', Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    ],
    ['the end of the pipe', (stream) => stream.emit('close')],
  ])('is noticed by %s; nobody waits, and nothing is written any more', async (_, happen) => {
    const { stream, writes, stop } = pipe()
    const output = openOutput(stream)
    stop()
    const wait = output.send(frame(1, STDOUT_HIGH_WATER_BYTES))
    happen(stream)
    await output.broken
    expect(await settled(wait)).toBe(true)
    expect(output.send(frame(2))).toBeUndefined()
    await output.flush()
    expect(writes).toEqual([])
  })
})
