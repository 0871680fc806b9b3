// @ts-check
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const manifest = fileURLToPath(new URL('peers/package.json', import.meta.url))
const out = fileURLToPath(new URL('out/', import.meta.url))

/** The file that is run, in the package of each. */
const ENTRIES = {
  'mcp-remote': ['dist', 'proxy.js'],
  supergateway: ['dist', 'index.js'],
}

/** @typedef {keyof typeof ENTRIES} Peer */

/** @type {Record<Peer, string>} */
const VERSIONS = JSON.parse(readFileSync(manifest, 'utf8')).devDependencies

/** Name and version as npm wants them. @param {Peer} name */
export const specifierOf = (name) => `${name}@${VERSIONS[name]}`

/** Name and version as people read them. @param {Peer} name */
export const titleOf = (name) => `${name} ${VERSIONS[name]}`

/**
 * The program that the bridge is compared with; installed into `test/bench/out` when it is not there.
 *
 * @param {Peer} name
 * @returns {string} the file to run
 */
export function installPeer(name) {
  const folder = join(out, 'node_modules', name)
  if (versionIn(folder) !== VERSIONS[name]) {
    mkdirSync(out, { recursive: true })
    copyFileSync(manifest, join(out, 'package.json'))
    const args = ['install', '--no-audit', '--no-fund']
    const { status, stderr } = spawnSync('npm', args, { cwd: out, encoding: 'utf8' })
    if (status !== 0) throw new Error(`cannot install ${specifierOf(name)}: ${stderr}`)
  }
  return join(folder, ...ENTRIES[name])
}

/** @param {string} folder @returns {string | undefined} */
function versionIn(folder) {
  const file = join(folder, 'package.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined
}
