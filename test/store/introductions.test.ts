import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readFrame } from '../../src/frame.ts'
import { MAX_INTRODUCTION_BYTES } from '../../src/limits.ts'
import { openIntroductions } from '../../src/store/introductions.ts'
import { until } from '../support/until.ts'
import { keptLog } from '../support/log.ts'

const server = new URL('https://mcp.example/mcp?key=secret')

function setUp() {
  const folder = join(mkdtempSync(join(tmpdir(), 'introductions-')), 'made')
  onTestFinished(() => rmSync(join(folder, '..'), { recursive: true }))
  const warnings: string[] = []
  const log = { ...keptLog(), warn: (line: string) => warnings.push(line) }
  const files = (): string[] => {
    try {
      return readdirSync(folder).filter((name) => name.endsWith('.json'))
    } catch {
      return []
    }
  }
  return { folder, warnings, files, introductions: openIntroductions(folder, server, log) }
}

function initialize(clientVersion: string) {
  const clientInfo = { name: 'host', version: clientVersion }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  return readFrame(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }))!
}

const result = Buffer.from(
  '{"protocolVersion":"2025-11-25","capabilities":{},"n":12345678901234567890}',
)

test('what a server said to a client is there at the next start, byte for byte', async () => {
  const { introductions, files, folder } = setUp()
  introductions.write(initialize('1'), result)
  await until('the file', () => files().length === 1)
  expect(introductions.read(initialize('1'))).toEqual(result)
  expect(introductions.read(initialize('2'))).toBeUndefined()
  expect(files()[0]).not.toContain('secret')
  expect(statSync(join(folder, files()[0]!)).mode & 0o777).toBe(0o600)
})

test.each([
  ['cut', '{"protocolVersion":'],
  ['of something else', '{"protocolVersion":1}'],
])('a file that is %s is as good as none', async (_, content) => {
  const { introductions, files, folder } = setUp()
  introductions.write(initialize('1'), result)
  await until('the file', () => files().length === 1)
  writeFileSync(join(folder, files()[0]!), content)
  expect(introductions.read(initialize('1'))).toBeUndefined()
})

test('a result that is too large is not kept', () => {
  const { introductions, files } = setUp()
  const large = Buffer.from(
    JSON.stringify({
      protocolVersion: '2025-11-25',
      instructions: 'x'.repeat(MAX_INTRODUCTION_BYTES),
    }),
  )
  introductions.write(initialize('1'), large)
  expect(files()).toEqual([])
})

test('a client that says nothing about itself is a client, too', async () => {
  const { introductions, files } = setUp()
  const bare = readFrame('{"id":1,"method":"initialize"}')!
  introductions.write(bare, result)
  await until('the file', () => files().length === 1)
  expect(introductions.read(bare)?.equals(result)).toBe(true)
  expect(introductions.read(initialize('1'))).toBeUndefined()
})
