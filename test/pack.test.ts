import { execFile } from 'node:child_process'
import { readFile, rm, stat } from 'node:fs/promises'
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
  const other = files.filter((file) => !/^package\/dist\/[\w-]+\.cjs$/.test(file))
  expect(other).toEqual([
    'package/CHANGELOG.md',
    'package/LICENSE',
    'package/README.md',
    'package/bin/bridge.cjs',
    'package/dist/THIRD_PARTY_LICENSES',
    'package/dist/llhttp-simd.wasm',
    'package/dist/llhttp.wasm',
    'package/package.json',
  ])
  expect(files).toContain('package/dist/cli.cjs')
})

test('the licence of everything in the bundle comes with it', async () => {
  const file = `${packed.folder}/node_modules/mcp-bridge/dist/THIRD_PARTY_LICENSES`
  const text = await readFile(file, 'utf8')
  for (const name of ['env-paths', 'oauth4webapi', 'open', 'undici', 'zod']) {
    expect(text).toMatch(new RegExp(`^${name} [\\d.]+ \\(MIT\\)$`, 'm'))
  }
  expect(text.match(/Permission is hereby granted/g)?.length).toBeGreaterThan(10)
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
