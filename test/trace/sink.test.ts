import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openTraceFile } from '../../src/trace/file.ts'
import { createSink, type Sink, type SinkSetup } from '../../src/trace/sink.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'bridge-trace-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

const linesOf = (path: string): { n?: number; part?: number; dropped?: number }[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { n?: number })

type Disk = Pick<SinkSetup, 'file'> & Partial<SinkSetup>

function sinkOn(setup: Disk): { sink: Sink; failures: Error[] } {
  const failures: Error[] = []
  const sink = createSink({
    redact: (text) => text,
    fileBytes: 1_000_000,
    continued: (part) => `{"part":${part}`,
    dropped: (dropped) => `{"dropped":${dropped}`,
    failed: (error) => void failures.push(error),
    ...setup,
  })
  return { sink, failures }
}

/** A disk that takes its time, as long as it is held. */
function slowDisk() {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let text = ''
  const file: SinkSetup['file'] = {
    size: () => text.length,
    async append(bytes) {
      await held
      text += bytes.toString('utf8')
    },
    rotate: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
  return { file, release, text: () => text }
}

test('records arrive in order, messages byte for byte', async () => {
  const path = join(folder(), 'trace.jsonl')
  const { sink } = sinkOn({ file: await openTraceFile(path, 3) })
  sink.write('{"n":1')
  const raw = ['{"id":1234567890', '1234567890,"x":1.0,"y":"€"}'].map((text) => Buffer.from(text))
  sink.write('{"n":2', raw, raw[0]!.length + raw[1]!.length)
  await sink.close()
  expect(readFileSync(path, 'utf8')).toBe(
    '{"n":1}\n{"n":2,"raw":{"id":12345678901234567890,"x":1.0,"y":"€"}}\n',
  )
})

test('all that is written is masked, whole records at a time', async () => {
  const seen: string[] = []
  const disk = slowDisk()
  const redact = (text: string): string => {
    seen.push(text)
    return text.replaceAll('secret', '***')
  }
  const { sink } = sinkOn({ file: disk.file, redact })
  for (let n = 0; n < 5_000; n++) sink.write(`{"n":${n},"x":"secret","pad":"${'.'.repeat(100)}"`)
  disk.release()
  await sink.close()
  expect(disk.text()).not.toContain('secret')
  expect(seen.length).toBeGreaterThan(1)
  expect(seen.every((text) => text.endsWith('}\n'))).toBe(true)
})

test('a slow disk holds nobody up: what does not fit is dropped, counted, and said', async () => {
  const disk = slowDisk()
  const { sink } = sinkOn({ file: disk.file, queueBytes: 100_000 })
  const taken = Array.from({ length: 1_000 }, (_, n) =>
    sink.write(`{"n":${n},"pad":"${'x'.repeat(300)}"`),
  )
  const lost = taken.filter((ok) => !ok).length
  expect(lost).toBeGreaterThan(0)
  disk.release()
  await sink.close()
  const records = disk
    .text()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { dropped?: number })
  expect(records.filter(({ dropped }) => dropped === undefined)).toHaveLength(1_000 - lost)
  expect(records.reduce((sum, { dropped = 0 }) => sum + dropped, 0)).toBe(lost)
})

test('a large file is followed by a new one that says so, and a few are kept', async () => {
  const path = join(folder(), 'trace.jsonl')
  const { sink } = sinkOn({ file: await openTraceFile(path, 2), fileBytes: 500_000 })
  for (let n = 0; n < 30; n++) sink.write(`{"n":${n},"pad":"${'x'.repeat(100_000)}"`)
  await sink.close()
  expect(readdirSync(join(path, '..')).sort()).toEqual([
    'trace.jsonl',
    'trace.jsonl.1',
    'trace.jsonl.2',
  ])
  const [last, before] = [linesOf(path), linesOf(`${path}.1`)]
  expect(last[0]!.part).toBe(before[0]!.part! + 1)
  expect(last.at(-1)!.n).toBe(29)
})

test('a disk that fails ends the trace, once, and never the program', async () => {
  const disk = slowDisk()
  const append = (): Promise<void> => Promise.reject(new Error('ENOSPC'))
  const { sink, failures } = sinkOn({ file: { ...disk.file, append } })
  sink.write('{"n":1')
  await sink.close()
  expect(sink.write('{"n":2')).toBe(false)
  expect(failures.map(({ message }) => message)).toEqual(['ENOSPC'])
})

test('only the user can read a trace, whatever the umask is', async () => {
  const before = process.umask(0)
  onTestFinished(() => void process.umask(before))
  const path = join(folder(), 'new', 'trace.jsonl')
  const file = await openTraceFile(path, 3)
  await file.close()
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
})

test('a file that is there is kept under a number', async () => {
  const path = join(folder(), 'trace.jsonl')
  writeFileSync(path, 'precious')
  const file = await openTraceFile(path, 3)
  await file.close()
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('precious')
  expect(readFileSync(path, 'utf8')).toBe('')
})

test.each<[string, (path: string) => void]>([
  ['a symbolic link', (path) => symlinkSync('/dev/null', path)],
  ['a dangling link', (path) => symlinkSync(`${path}.nowhere`, path)],
  ['a folder', (path) => mkdirSync(path)],
])('%s is refused', async (_, make) => {
  const path = join(folder(), 'trace.jsonl')
  make(path)
  await expect(openTraceFile(path, 3)).rejects.toMatchObject({ code: 'store_unusable' })
})

test('where nothing can be written it is said at once', async () => {
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  chmodSync(file, 0o600)
  await expect(openTraceFile(join(file, 'trace.jsonl'), 3)).rejects.toMatchObject({
    code: 'store_unusable',
  })
})
