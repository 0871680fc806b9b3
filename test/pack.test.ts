import { exec, execFile } from 'node:child_process'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { afterAll, beforeAll, expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { npm } from './support/npm.mjs'
import { packAndInstall } from './support/packed.mjs'

/** `npx` downloads and unpacks it inside the host's start-up deadline. */
const MAX_TARBALL_BYTES = 500_000
const MAX_UNPACKED_BYTES = 1_500_000

let packed: Awaited<ReturnType<typeof packAndInstall>>
/** What npm has unpacked, by its path in the tarball. */
let files: readonly { readonly path: string; readonly bytes: number }[]
beforeAll(async () => {
  packed = await packAndInstall()
  files = await filesBelow(join(packed.folder, 'node_modules', 'mcp-bridge'))
})
afterAll(() => rm(packed.folder, { recursive: true }))

test('the tarball holds the program, its licence and its documents, and nothing else', async () => {
  const paths = files.map(({ path }) => path)
  expect(paths.filter((path) => !/^dist\/[\w-]+\.cjs$/.test(path))).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'bin/bridge.cjs',
    'dist/THIRD_PARTY_LICENSES',
    'dist/llhttp-simd.wasm',
    'dist/llhttp.wasm',
    'package.json',
  ])
  expect(paths).toContain('dist/cli.cjs')
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
  expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(MAX_UNPACKED_BYTES)
})

test('installing it installs nothing else', async () => {
  const [program, args] = npm(['ls', '--all', '--parseable'])
  const { stdout } = await promisify(execFile)(program, args, { cwd: packed.folder })
  expect(stdout.trim().split('\n')).toHaveLength(2) // the folder itself and mcp-bridge
  expect(packageJson).not.toHaveProperty('dependencies')
})

test.each(['bridge', 'mcp-bridge'])('the installed command %s runs', async (name) => {
  // By a shell: on Windows npm makes a batch file.
  const command = join(packed.folder, 'node_modules', '.bin', name)
  const { stdout } = await promisify(exec)(`"${command}" --version`)
  expect(stdout).toBe(`${packageJson.version}\n`)
})

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: `${packed.folder}/node_modules/mcp-bridge` })
  expect(messages).toEqual([])
})

/** The files of a folder, sorted by their path. */
async function filesBelow(folder: string) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const found = entries
    .filter((entry) => entry.isFile())
    .map(async ({ parentPath, name }) => {
      const path = relative(folder, join(parentPath, name)).replaceAll('\\', '/')
      return { path, bytes: (await stat(join(parentPath, name))).size }
    })
  return (await Promise.all(found)).sort((a, b) => (a.path < b.path ? -1 : 1))
}
