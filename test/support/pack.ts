import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'

const run = promisify(execFile)
const root = new URL('../..', import.meta.url).pathname

declare module 'vitest' {
  export interface ProvidedContext {
    /** The installed `bin/bridge.cjs` of the packed tarball. */
    bin: string
  }
}

/** Builds, packs and installs the tarball in an empty folder: the e2e tests run what users get. */
export async function packAndInstall(): Promise<{ folder: string; tarball: string; bin: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-pack-'))
  await run('npm', ['run', 'build'], { cwd: root })
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: root,
  })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${filename}`], {
    cwd: folder,
  })
  const bin = join(folder, 'node_modules', 'mcp-bridge', 'bin', 'bridge.cjs')
  return { folder, tarball: join(folder, filename), bin }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { folder, bin } = await packAndInstall()
  project.provide('bin', bin)
  return () => rm(folder, { recursive: true })
}
