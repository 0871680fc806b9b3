import {
  chmodSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'
import { expect, inject, test } from 'vitest'
import { initialize, startBridge } from '../support/bridge.ts'
import { initializeResult, json, startServer } from '../support/http-server.ts'

/** One start with an answer; what it said on stderr, and the file of compiled code that it left. */
async function run(home: string | undefined, env: NodeJS.ProcessEnv = {}) {
  const server = await startServer((request, response) => {
    json(response, initializeResult(request.message?.id))
  })
  const bridge = startBridge(server.url, { ...(home !== undefined && { home }), env })
  bridge.write(initialize(0))
  expect(await bridge.answer(0)).toHaveProperty('result')
  bridge.end()
  expect(await bridge.exit()).toMatchObject({ code: 0 })
  const folder = join(bridge.home, 'cache', 'code')
  return { home: bridge.home, folder, stderr: bridge.stderr() }
}

function fileIn(folder: string): string {
  const [name, ...others] = readdirSync(folder)
  expect(others).toEqual([])
  return join(folder, name!)
}

/** Compiled code that V8 takes for the program's own, and that says so when it runs. */
function foreignCode(file: string): Buffer {
  const program = join(dirname(inject('bin')), '..', 'dist', 'cli.cjs')
  const { length } = readFileSync(program, 'latin1')
  const words = '(function(){process.stderr.write("foreign code")})'
  const script = new Script(words.padEnd(length), { filename: program })
  script.runInThisContext()
  const own = readFileSync(file)
  return Buffer.concat([script.createCachedData(), own.subarray(own.lastIndexOf('\n'))])
}

test('the first start leaves compiled code that is private, and the next one runs it', async () => {
  const { home, folder } = await run(undefined)
  const file = fileIn(folder)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  // That it is run can be seen only when it is another program's.
  writeFileSync(file, foreignCode(file))
  const bridge = startBridge('http://127.0.0.1:9/mcp', { home })
  await expect.poll(bridge.stderr).toContain('foreign code')
})

test.each<{ name: string; spoil(file: string): void }>([
  { name: 'others may write to', spoil: (file) => chmodSync(file, 0o622) },
  {
    name: 'is a link',
    spoil(file) {
      renameSync(file, `${file}.moved`)
      symlinkSync(`${file}.moved`, file)
    },
  },
  {
    name: 'another build has left',
    spoil(file) {
      const text = readFileSync(file)
      text.write('0', text.lastIndexOf('\n') + 1)
      text.write('1', text.lastIndexOf('\n') + 2)
      writeFileSync(file, text)
    },
  },
])('compiled code that $name is not run', async ({ spoil }) => {
  const { home, folder } = await run(undefined)
  const file = fileIn(folder)
  writeFileSync(file, foreignCode(file))
  spoil(file)
  expect((await run(home)).stderr).toBe('')
})

test.each<{ name: string; content: string }>([
  { name: 'empty', content: '' },
  { name: 'no compiled code', content: 'x'.repeat(100_000) },
])('a file that is $name is replaced', async ({ content }) => {
  const { home, folder } = await run(undefined)
  const file = fileIn(folder)
  writeFileSync(file, content)
  expect((await run(home)).stderr).toBe('')
  expect(statSync(fileIn(folder)).size).toBeGreaterThan(100_100)
})

test('NODE_DISABLE_COMPILE_CACHE leaves no file', async () => {
  const { folder } = await run(undefined, { NODE_DISABLE_COMPILE_CACHE: '1' })
  expect(() => readdirSync(folder)).toThrow('ENOENT')
})
