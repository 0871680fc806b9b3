// @ts-check
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { instrument } from '../coverage/instrument.mjs'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Builds, packs and installs the tarball in an empty folder: what is run then is what users get. The
 * build goes to a folder of its own: in `dist` another build could sweep it away before it is packed.
 *
 * @returns {Promise<{ folder: string, tarball: string, bin: string }>}
 */
export async function packAndInstall() {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-pack-'))
  const stage = join(folder, 'package')
  await run('npm', ['run', 'build', '--', '--out-dir', join(stage, 'dist')], { cwd: root })
  /** @type {{ files: string[] }} */
  const { files } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  for (const file of ['package.json', ...files.filter((name) => name !== 'dist')]) {
    await cp(join(root, file), join(stage, file), { recursive: true })
  }
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: stage,
  })
  /** @type {[{ filename: string }]} */
  const [{ filename }] = JSON.parse(stdout)
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${filename}`], {
    cwd: folder,
  })
  const bin = join(folder, 'node_modules', 'mcp-bridge', 'bin', 'bridge.cjs')
  const { BRIDGE_COVERAGE } = process.env
  if (BRIDGE_COVERAGE !== undefined) await instrument(bin, join(stage, 'dist'), BRIDGE_COVERAGE)
  return { folder, tarball: join(folder, filename), bin }
}
