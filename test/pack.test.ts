import { execFile } from 'node:child_process'
import { rm, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { afterAll, beforeAll, expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { packAndInstall } from './support/packed.mjs'

const run = promisify(execFile)

/** `npx` downloads and unpacks it inside the host's start-up deadline. */
const MAX_TARBALL_BYTES = 500_000
const MAX_UNPACKED_BYTES = 1_500_000

let packed: Awaited<ReturnType<typeof packAndInstall>>
beforeAll(async () => {
  packed = await packAndInstall()
})
afterAll(() => rm(packed.folder, { recursive: true }))

test('the tarball holds the program, its licence and its documents, and nothing else', async () => {
  const { stdout } = await run('tar', ['-tzf', packed.tarball])
  const files = stdout.trim().split('\n').sort()
  const other = files.filter((file) => !/^package\/dist\/[\w-]+\.cjs(\.LEGAL\.txt)?$/.test(file))
  expect(other).toEqual([
    'package/CHANGELOG.md',
    'package/LICENSE',
    'package/README.md',
    'package/bin/bridge.cjs',
    'package/package.json',
  ])
  expect(files).toContain('package/dist/cli.cjs')
})

test('the tarball is small, packed and unpacked', async () => {
  expect((await stat(packed.tarball)).size).toBeLessThan(MAX_TARBALL_BYTES)
  const { stdout } = await run('tar', ['-tvzf', packed.tarball])
  const sizes = stdout
    .trim()
    .split('\n')
    .map((line) => Number(line.split(/\s+/)[2]))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_UNPACKED_BYTES)
})

test('installing it installs nothing else', async () => {
  const { stdout } = await run('npm', ['ls', '--all', '--parseable'], { cwd: packed.folder })
  expect(stdout.trim().split('\n')).toHaveLength(2) // the folder itself and mcp-bridge
  expect(packageJson).not.toHaveProperty('dependencies')
})

test.each(['bridge', 'mcp-bridge'])('the installed command %s runs', async (name) => {
  const command = `${packed.folder}/node_modules/.bin/${name}`
  const { stdout } = await run(command, ['--version'])
  expect(stdout).toBe(`${packageJson.version}\n`)
})

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: `${packed.folder}/node_modules/mcp-bridge` })
  expect(messages).toEqual([])
})
