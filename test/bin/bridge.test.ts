import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'

const gate = new URL('../../bin/bridge.cjs', import.meta.url)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bridge-gate-'))
  await mkdir(join(folder, 'dist'))
  await cp(gate, join(folder, 'bin', 'bridge.cjs'))
  await writeFile(join(folder, 'dist', 'boot.cjs'), "process.stdout.write('loaded')")
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs the gate in a process that takes itself for another version of Node. */
function runAs(version: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const bin = JSON.stringify(join(folder, 'bin', 'bridge.cjs'))
  const versions = JSON.stringify({ node: version })
  const script = `Object.defineProperty(process, 'versions', { value: ${versions} }); require(${bin})`
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', script], (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr })
    })
  })
}

test.each(['0.10.48', '4.9.1', '18.20.8', '20.9.0', '20.18.0'])(
  'Node %s is told what to do, and nothing is loaded',
  async (version) => {
    const { code, stdout, stderr } = await runAs(version)
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain(`needs Node 20.18.1 or newer, but was started with Node ${version} (`)
    expect(stderr).toContain(process.execPath)
    expect(stderr).toContain('https://nodejs.org')
  },
)

test.each(['20.18.1', '20.19.0', '21.0.0', '100.0.0', '22.0.0-nightly20240101'])(
  'Node %s starts the program',
  async (version) => {
    expect(await runAs(version)).toEqual({ code: 0, stdout: 'loaded', stderr: '' })
  },
)

test('the oldest Node can read the gate', async () => {
  const source = await readFile(gate, 'utf8')
  // Without this esbuild prints the newest syntax for strings.
  const supported = { 'template-literal': false }
  const asEs5 = await transform(source, { target: 'es5' })
  const asItIs = await transform(source, { target: 'esnext', supported })
  expect(asEs5.code).toBe(asItIs.code)
  // esbuild does not report these: a comma before the closing parenthesis of a call is ES2017.
  expect(source).not.toMatch(/,\s*\)/)
})
