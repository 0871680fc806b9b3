// @ts-check
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packAndInstall } from '../support/packed.mjs'
import { startDirect } from './direct.mjs'
import { startHost } from './host.mjs'
import { installPeer, specifierOf } from './peers.mjs'
import { storeForBridge, storeForMcpRemote } from './sign-in.mjs'

/** Nothing in the suites takes longer on a machine that works. */
const DEADLINE_MS = 60_000

/** That a peer fails is a figure, and known long before: each wait for it makes the run longer. */
const PEER_DEADLINE_MS = 25_000

/**
 * @typedef {object} Target
 * @property {string} url
 * @property {'http' | 'sse'} transport
 * @property {import('./sign-in.mjs').SignIn | undefined} signIn
 * @property {readonly string[]} args more arguments, for the bridge alone
 * @property {NodeJS.ProcessEnv} env more variables
 */

/**
 * @typedef {object} Candidate
 * @property {string} name
 * @property {boolean} optional whether a failure of it is a figure and no failure of the run
 * @property {string} home its own files
 * @property {(target: Target) => import('./host.mjs').Host} start
 * @property {((url: string, cache: string) => import('./host.mjs').Host) | undefined} startByNpx
 */

export const NAMES = ['floor', 'direct', 'bridge', 'mcp-remote', 'supergateway']

/**
 * The programs that are compared; the bridge is the packed one, as users get it.
 *
 * @param {readonly string[]} names
 * @param {string} root where each gets a folder of its own
 * @returns {Promise<{ candidates: Candidate[], folder: string }>}
 */
export async function prepareCandidates(names, root) {
  const { bin, folder, tarball } = await packAndInstall()
  const all = [
    floor(root),
    direct(root),
    bridge(root, bin, tarball),
    mcpRemote(root),
    gateway(root),
  ]
  const candidates = names.map((name) => {
    const make = all.find((one) => one.name === name)
    if (make === undefined) throw new Error(`no ${name}; there are ${NAMES.join(', ')}`)
    mkdirSync(make.home)
    return make.ready()
  })
  return { candidates, folder }
}

/**
 * @param {string} name
 * @param {string} root
 * @param {() => Pick<Candidate, 'start'> & Partial<Candidate>} make what is only done for those that take part
 */
function candidate(name, root, make) {
  const home = join(root, name)
  /** @type {() => Candidate} */
  const ready = () => ({ name, home, optional: false, startByNpx: undefined, ...make() })
  return { name, home, ready }
}

/** @param {string} home */
function environment(home, more = {}) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, BRIDGE_HOME: home, MCP_REMOTE_CONFIG_DIR: home, ...more }
  // Reading extra certificates costs 50 ms at every start of Node 20, whatever the program.
  delete env['NODE_EXTRA_CA_CERTS']
  return env
}

/** @param {string} root */
function floor(root) {
  const script = fileURLToPath(new URL('floor.mjs', import.meta.url))
  return candidate('floor', root, () => ({
    start({ url, transport, signIn }) {
      const token = signIn === undefined ? [] : [`Bearer ${signIn.accessToken}`]
      const args = [script, url, transport, ...token]
      return startHost(process.execPath, args, environment(root), DEADLINE_MS)
    },
  }))
}

/** @param {string} root */
function direct(root) {
  return candidate('direct', root, () => ({ start: (target) => startDirect(target, DEADLINE_MS) }))
}

/** @param {string} root @param {string} bin @param {string} tarball */
function bridge(root, bin, tarball) {
  const home = join(root, 'bridge')
  return candidate('bridge', root, () => ({
    start({ url, transport, signIn, args, env }) {
      if (signIn !== undefined) storeForBridge(home, url, signIn)
      const all = [bin, url, '--transport', `${transport}-only`, ...args]
      return startHost(process.execPath, all, environment(home, env), DEADLINE_MS)
    },
    startByNpx: (url, cache) => startNpx(['-p', tarball, 'mcp-bridge', url], home, cache),
  }))
}

/** @param {string} root */
function mcpRemote(root) {
  const home = join(root, 'mcp-remote')
  return candidate('mcp-remote', root, () => {
    const script = installPeer('mcp-remote')
    return {
      optional: true,
      start({ url, transport, signIn, env }) {
        if (signIn !== undefined) storeForMcpRemote(home, url, signIn)
        const args = [script, url, '--transport', `${transport}-only`]
        return startHost(process.execPath, args, environment(home, env), PEER_DEADLINE_MS)
      },
      startByNpx: (url, cache) => startNpx([specifierOf('mcp-remote'), url], home, cache),
    }
  })
}

/** @param {string} root */
function gateway(root) {
  return candidate('supergateway', root, () => {
    const script = installPeer('supergateway')
    return {
      optional: true,
      start({ url, transport, env }) {
        const mode = transport === 'sse' ? '--sse' : '--streamableHttp'
        const args = [script, mode, url, '--logLevel', 'none']
        return startHost(process.execPath, args, environment(root, env), PEER_DEADLINE_MS)
      },
    }
  })
}

/** @param {readonly string[]} args @param {string} home @param {string} cache */
function startNpx(args, home, cache) {
  const env = environment(home, { npm_config_cache: cache })
  return startHost('npx', ['-y', ...args], env, DEADLINE_MS)
}
