// @ts-check
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packAndInstall } from '../support/packed.mjs'

/** The peers, in versions that do not move under the figures. */
const PEERS = { 'mcp-remote': '0.15.1', supergateway: '4.0.0' }

const out = fileURLToPath(new URL('out', import.meta.url))

/**
 * @typedef {object} Candidate
 * @property {string} name
 * @property {(url: string, transport: 'http' | 'sse') => string[]} argv arguments of Node
 * @property {boolean} optional whether a failure of it is a figure and no failure of the run
 */

/** Installs a peer into a folder of its own, once. @param {keyof typeof PEERS} name */
function peer(name) {
  const folder = join(out, 'node_modules', name)
  if (!existsSync(folder)) {
    mkdirSync(out, { recursive: true })
    if (!existsSync(join(out, 'package.json'))) {
      writeFileSync(join(out, 'package.json'), '{"private":true}')
    }
    const args = ['install', '--no-audit', '--no-fund', `${name}@${PEERS[name]}`]
    const { status, stderr } = spawnSync('npm', args, { cwd: out, encoding: 'utf8' })
    if (status !== 0) throw new Error(`cannot install ${name}: ${stderr}`)
  }
  return folder
}

/**
 * The programs that are compared; the bridge is the packed one, as users get it.
 *
 * @param {boolean} withPeers
 * @returns {Promise<{ candidates: Candidate[], folder: string }>}
 */
export async function prepareCandidates(withPeers) {
  const { bin, folder } = await packAndInstall()
  const floor = fileURLToPath(new URL('floor.mjs', import.meta.url))
  /** @type {Candidate[]} */
  const candidates = [
    { name: 'floor', optional: false, argv: (url, transport) => [floor, url, transport] },
    {
      name: 'bridge',
      optional: false,
      argv: (url, transport) => [bin, url, '--transport', `${transport}-only`],
    },
  ]
  if (withPeers) {
    const remote = join(peer('mcp-remote'), 'dist', 'proxy.js')
    const gateway = join(peer('supergateway'), 'dist', 'index.js')
    candidates.push(
      {
        name: 'mcp-remote',
        optional: true,
        argv: (url, transport) => [remote, url, '--transport', `${transport}-only`],
      },
      {
        name: 'supergateway',
        optional: true,
        argv: (url, transport) => [
          gateway,
          transport === 'sse' ? '--sse' : '--streamableHttp',
          url,
          '--logLevel',
          'none',
        ],
      },
    )
  }
  return { candidates, folder }
}
