import { lookupAll } from '../auth/fetch.ts'
import { BridgeError, networkCode, networkFailure } from '../errors.ts'
import { CERTIFICATE_WARNING_MS, MAX_CLOCK_SKEW_MS } from '../limits.ts'
import { NETWORK_REASONS } from '../network-reasons.ts'
import { type Check, check, type Context, fail, type Finding, ok, skipped, warn } from './check.ts'
import type { Server } from './server.ts'
import { openSocket, readChain, targetOf } from './tls.ts'
import { shownUrl } from './words.ts'

const group = 'The way to the server'

/** The server of a check that needs the one of the URL. */
export function serverOf({ server }: Context): Server {
  if (server === undefined) throw new Error('this check needs a server')
  return server
}

/** The command line. */
export const address = check({
  id: 'url',
  title: 'URL and options',
  group,
  codes: ['options_unusable'],
  run({ options }) {
    if (options === undefined) return skipped('no URL was given: bridge doctor <server_url>')
    if (options instanceof BridgeError)
      return fail('options_unusable', options.message, options.hint)
    return ok(shownUrl(options.url))
  },
})

/** The name. */
export const dns = check({
  id: 'dns',
  title: 'Name',
  group,
  needs: ['url'],
  codes: ['name_unknown'],
  async run(context) {
    const { options, proxy } = serverOf(context)
    if (proxy !== undefined) return ok('the proxy looks it up')
    const { hostname } = targetOf(options.url)
    try {
      const found = await lookupAll(hostname)
      return ok(`${hostname} is ${found.map(({ address: one }) => one).join(', ')}`)
    } catch (error) {
      const { message, details } = networkFailure(error, options.url.origin, 'connect')
      return fail('name_unknown', message, details.hint)
    }
  },
})

/** The connection. */
export const connection = check({
  id: 'connection',
  title: 'Connection',
  group,
  needs: ['dns'],
  codes: ['proxy_failed', 'unreachable'],
  async run(context) {
    const { options, proxy, certificates, signal } = serverOf(context)
    const way = proxy === undefined ? 'directly' : `through the proxy ${proxy.url.host}`
    try {
      const socket = await openSocket(
        options.url,
        options.network,
        proxy,
        await certificates().catch(() => undefined),
        signal,
      )
      socket.destroy()
      return ok(way)
    } catch (error) {
      if (signal.aborted) throw error
      const { message, details } = networkFailure(error, options.url.origin, 'connect')
      const code = proxy === undefined ? 'unreachable' : 'proxy_failed'
      return fail(
        code,
        message,
        details.hint ?? 'Check host and port of the URL, and whether the server runs.',
      )
    }
  },
})

/** What a chain with this problem needs, when no list of authorities that we have helps. */
const OWN_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
])

/** The certificates. */
export const certificate = check({
  id: 'certificate',
  title: 'Certificate',
  group,
  needs: ['connection'],
  codes: [
    'private_authority',
    'certificate_unusable',
    'certificate_expires',
    'tls_failed',
    'options_unusable',
  ],
  async run(context) {
    const server = serverOf(context)
    const { url } = server.options
    if (url.protocol === 'http:') return ok('http:// has none')
    try {
      const shown = await chainOf(server, await server.certificates())
      const until = new Date(shown.expiresAt).toISOString().slice(0, 10)
      const said = `issued by ${shown.issuer}, until ${until}`
      if (shown.problem === undefined) {
        return shown.expiresAt - context.now() < CERTIFICATE_WARNING_MS
          ? warn(
              'certificate_expires',
              `${said}, which is soon`,
              'Tell the operator of the server.',
            )
          : ok(said)
      }
      const reason = NETWORK_REASONS[shown.problem]
      const seen = `${reason?.why ?? shown.problem} (${said})`
      if (!OWN_AUTHORITY.has(shown.problem)) return fail('certificate_unusable', seen, reason?.hint)
      return fail('private_authority', seen, await trustOf(server, context))
    } catch (error) {
      if (server.signal.aborted) throw error
      if (error instanceof BridgeError) return fail('options_unusable', error.message, error.hint)
      const { message, details } = networkFailure(error, url.origin, 'connect')
      return fail('tls_failed', message, details.hint)
    }
  },
})

type Chain = Awaited<ReturnType<typeof readChain>>

async function chainOf(
  { options, proxy, signal }: Server,
  certificates: Awaited<ReturnType<Server['certificates']>>,
): Promise<Chain> {
  const socket = await openSocket(options.url, options.network, proxy, certificates, signal)
  return readChain(options.url, socket, certificates)
}

/** Whether the system knows the authority decides which option helps. */
async function trustOf(server: Server, { machine }: Context): Promise<string> {
  const file = 'Add to the arguments: --ca <file with the certificate of that authority>'
  if (server.options.network.systemCa) return file
  try {
    const { readCertificates } = await import('../http/certificates.ts')
    const wanted = { ...server.options.network, systemCa: true }
    const { problem } = await chainOf(server, readCertificates(wanted, machine.env))
    return problem === undefined ? 'Add to the arguments: --use-system-ca' : file
  } catch {
    return file
  }
}

/** The two clocks. */
export const clock: Check = check({
  id: 'clock',
  title: 'Clock',
  group,
  needs: ['endpoint'],
  codes: ['clock_skew'],
  async run(context) {
    const { date } = await serverOf(context).answer()
    if (date === undefined) return skipped('the server does not say what time it is')
    // The header has whole seconds.
    const skew = date.ours - date.theirs - 500
    const seconds = Math.round(Math.abs(skew) / 1000)
    if (Math.abs(skew) <= MAX_CLOCK_SKEW_MS) return ok('as the clock of the server')
    const seen = `this clock is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} that of the server`
    return warn('clock_skew', seen, SET_CLOCK[context.machine.platform] ?? SET_CLOCK.linux)
  },
})

const SET_CLOCK: Partial<Record<NodeJS.Platform, string>> & { readonly linux: string } = {
  linux: 'sudo timedatectl set-ntp true',
  darwin: 'sudo sntp -sS time.apple.com',
  win32: 'w32tm /resync',
}

/** Why the endpoint could not be asked, as a finding. */
export function unasked(error: unknown, { options, signal }: Server): Finding<'unreachable'> {
  if (signal.aborted || networkCode(error) === undefined) throw error
  const { message, details } = networkFailure(error, options.url.origin, 'request')
  return fail('unreachable', message, details.hint)
}
