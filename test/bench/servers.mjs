// @ts-check
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {object} Server
 * @property {string} url
 * @property {() => Promise<readonly [number, string][]>} requests when each came (milliseconds since 1970), and its method and path, since the last question
 * @property {() => Promise<import('./sign-in.mjs').SignIn>} signIn
 * @property {() => Promise<void>} revoke the access token is refused from now on
 * @property {() => void} stop
 */

/** @param {number} delayMs how far away @returns {Promise<Server>} */
export async function startServer(delayMs) {
  const script = fileURLToPath(new URL('server/run.mjs', import.meta.url))
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, BENCH_DELAY_MS: String(delayMs) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [text] = await once(child.stdout, 'data')
  const url = String(text).trim()
  const control = (/** @type {string} */ path) => fetch(`${url}/control/${path}`)
  return {
    url,
    requests: async () => JSON.parse(await (await control('requests')).text()),
    signIn: async () => JSON.parse(await (await control('sign-in')).text()),
    async revoke() {
      await (await control('revoke')).text()
    },
    stop: () => void child.stdin.end(),
  }
}
