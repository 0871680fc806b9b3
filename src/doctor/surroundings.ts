import { listenForCallback, PortUnavailable } from '../auth/loopback.ts'
import { preferredHost, preferredPath, preferredPort } from '../auth/redirect.ts'
import { describeSurroundings } from '../auth/surroundings.ts'
import { isOn } from '../option-values.ts'
import { check, fail, ok, skipped, warn } from './check.ts'
import { inPath } from './machine.ts'
import { bridge } from './words.ts'

/** Whether a sign-in can show itself. */
export const browser = check({
  id: 'browser',
  title: 'Browser',
  group: 'This machine',
  codes: ['no_display', 'no_browser'],
  run({ machine, server }) {
    const { env, platform } = machine
    const how =
      server === undefined
        ? 'bridge login <server_url> --paste'
        : bridge('login', server.options.url, '--paste')
    if (server?.options.auth.browser === false || isOn(env['BRIDGE_NO_BROWSER'])) {
      return ok('you want none (--no-browser); the address is printed')
    }
    const { display, ssh, container, wsl } = describeSurroundings(env, platform, (path) => {
      const text = machine.read(path)
      if (text === undefined) throw new Error(path)
      return text
    })
    if (!display) {
      const where =
        ssh !== undefined
          ? 'you are connected over SSH'
          : container
            ? 'this is a container'
            : 'no display was found'
      return warn('no_display', `a browser that is started here is seen by nobody: ${where}`, how)
    }
    const starts = platform === 'darwin' || platform === 'win32' || wsl
    if (!starts && inPath(machine, 'xdg-open') === undefined) {
      return warn('no_browser', 'there is no xdg-open in PATH, which opens browsers', how)
    }
    return ok('it can be opened')
  },
})

/** Whether the browser can come back. */
export const callbackPort = check({
  id: 'callback-port',
  title: 'Port of the sign-in',
  group: 'This machine',
  codes: ['port_busy', 'port_taken'],
  async run({ server }) {
    if (server === undefined) return skipped('it depends on the server: bridge doctor <server_url>')
    const { auth, url } = server.options
    const world = { options: auth, server: url }
    const client = await server.registered()
    const port = preferredPort(world, client, false)
    const host = preferredHost(world, client)
    const ending = new AbortController()
    try {
      const place = { host, port, path: preferredPath(world, client), signal: ending.signal }
      await (await listenForCallback(place)).close()
      return ok(`${host}:${port} is free`)
    } catch (error) {
      if (!(error instanceof PortUnavailable)) throw error
      if (auth.callbackPort === undefined) {
        const seen = `port ${port} is taken: another one is used, which servers that compare it refuse`
        return warn('port_taken', seen, `Add to the arguments: --callback-port ${port + 1}`)
      }
      const seen = `port ${port} cannot be used: another program has it`
      return fail('port_busy', seen, `Add to the arguments: --callback-port ${port + 1}`)
    } finally {
      ending.abort()
    }
  },
})

/** Variables that change what we do, and that hosts built on the MCP SDKs do not pass on. */
const DROPPED =
  /^((https?|all|no)_proxy|xdg_(data|cache)_home|node_extra_ca_certs|ssl_cert_file|browser|display|wayland_display|bridge_.+)$/i

/** Values that may be shown: places, not credentials. */
const PLAIN =
  /^(xdg_.*|node_extra_ca_certs|ssl_cert_file|browser|display|wayland_display|bridge_home)$/i

/** What is different under a host. */
export const environment = check({
  id: 'environment',
  title: 'Environment',
  group: 'The hosts',
  codes: ['environment_dropped'],
  run({ machine: { env, platform } }) {
    const names = Object.keys(env).filter((name) => {
      if (!DROPPED.test(name) || !env[name]) return false
      return platform === 'linux' || !/display$/i.test(name)
    })
    if (names.length === 0) return ok('nothing in it matters that hosts leave out')
    const entries = names.map((name) => [name, shownValue(name, env[name]!)])
    return warn(
      'environment_dropped',
      `most hosts do not pass on ${names.join(', ')}`,
      `"env": ${JSON.stringify(Object.fromEntries(entries))}`,
    )
  },
})

function shownValue(name: string, value: string): string {
  // An address of a proxy without a password is nobody's secret.
  const open = PLAIN.test(name) || (/proxy$/i.test(name) && !value.includes('@'))
  return open ? value : '<as in this terminal>'
}
