// @ts-check
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { instrument } from '../coverage/instrument.mjs'
import { npm } from './npm.mjs'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Installs the tarball in an empty folder: what is run then is what users get. It is built and packed
 * first, unless `BRIDGE_TARBALL` names one: the parts of `npm test` share theirs.
 *
 * @returns {Promise<{ folder: string, tarball: string, bin: string }>} the folder is the caller's to remove
 */
export async function packAndInstall() {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-pack-'))
  const ready = process.env['BRIDGE_TARBALL']
  const tarball = ready === undefined ? await pack(folder) : resolve(ready)
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  await run(...npm(['install', '--offline', '--no-audit', '--no-fund', tarball]), { cwd: folder })
  const bin = join(folder, 'node_modules', 'mcp-bridge', 'bin', 'bridge.cjs')
  const { BRIDGE_COVERAGE } = process.env
  if (BRIDGE_COVERAGE !== undefined) {
    await instrument(bin, join(folder, 'package', 'dist'), BRIDGE_COVERAGE)
  }
  return { folder, tarball, bin }
}

/**
 * Builds and packs into a folder. The build does not go to `dist`: another build could sweep that away
 * before it is packed.
 *
 * @param {string} folder
 * @returns {Promise<string>} the tarball
 */
export async function pack(folder) {
  const stage = join(folder, 'package')
  await run(...npm(['run', 'build', '--', '--out-dir', join(stage, 'dist')]), { cwd: root })
  /** @type {{ files: string[] }} */
  const { files } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  for (const file of ['package.json', ...files.filter((name) => name !== 'dist')]) {
    await cp(join(root, file), join(stage, file), { recursive: true })
  }
  const { stdout } = await run(...npm(['pack', '--json', '--pack-destination', folder]), {
    cwd: stage,
  })
  /** @type {[{ filename: string }]} */
  const [{ filename }] = JSON.parse(stdout)
  return join(folder, filename)
}
