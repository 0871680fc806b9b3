import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { makeAuthority } from '../support/certificate.ts'
import { json, startServer, type TestServer } from '../support/http-server.ts'
import { DoesNotApply } from './attack.ts'
import type { StartOptions } from './program.ts'

/** The documents of a server that name other places, in the order in which they are read. */
export const PLACES = [
  'resource_metadata',
  'authorization_servers',
  'authorization_endpoint',
  'registration_endpoint',
  'token_endpoint',
] as const

/** A server that names other places. */
export interface Naming {
  readonly server: TestServer
  /** Its address in the internet of the row. */
  readonly url: string
  /** What the program needs to live in that internet. */
  readonly start: StartOptions
  /** The addresses and ports that it has connected to; `DoesNotApply` when that cannot be known. */
  connections(): string[]
}

/** Names of the internet of a row. */
const NAMES = {
  'mcp.example': '198.51.100.1',
  'as.example': '198.51.100.2',
  'intranet.example': '10.0.0.5',
}

/**
 * A server that is its own authorization server, under `host`, and names other places where the row
 * wants. A public host has TLS, so that the scheme is never the reason for a refusal.
 */
export async function startNaming(
  host: '127.0.0.1' | 'mcp.example',
  named: Partial<Record<(typeof PLACES)[number], string>>,
): Promise<Naming> {
  const folder = mkdtempSync(join(tmpdir(), 'attack-naming-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [log, ca] = [join(folder, 'log'), join(folder, 'ca.pem')]
  const authority = makeAuthority()
  writeFileSync(log, '')
  writeFileSync(ca, authority.cert)
  const server = await startServer(
    ({ path }, response) => {
      const document = documents()[path]
      if (document !== undefined) return json(response, document)
      const metadata = named.resource_metadata ?? `${origin}/.well-known/oauth-protected-resource`
      const challenge = `Bearer resource_metadata="${metadata}"`
      if (!path.startsWith('/mcp')) return void response.writeHead(404).end()
      return void response.writeHead(401, { 'www-authenticate': challenge }).end()
    },
    host === '127.0.0.1' ? {} : { tls: authority.issue('mcp.example', 'as.example') },
  )
  const origin = server.origin.replace('127.0.0.1', host)
  const documents = (): Record<string, unknown> => ({
    '/.well-known/oauth-protected-resource': {
      resource: `${origin}/mcp`,
      authorization_servers: [named.authorization_servers ?? origin],
    },
    '/.well-known/oauth-authorization-server': {
      issuer: origin,
      authorization_endpoint: named.authorization_endpoint ?? `${origin}/authorize`,
      registration_endpoint: named.registration_endpoint ?? `${origin}/register`,
      token_endpoint: named.token_endpoint ?? `${origin}/token`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    },
    '/register': {
      client_id: 'client-1',
      redirect_uris: (server.seen.at(-1)?.message as { redirect_uris?: string[] } | undefined)
        ?.redirect_uris,
    },
  })
  return {
    server,
    url: `${origin}/mcp`,
    start: {
      preload: fileURLToPath(new URL('../support/preload/hostile-routes.cjs', import.meta.url)),
      env: {
        ROUTES_LOG: log,
        ROUTES_NAMES: JSON.stringify(NAMES),
        NODE_EXTRA_CA_CERTS: ca,
      },
    },
    connections() {
      const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1)
      if (lines.length === 0) throw new DoesNotApply('it does not run on Node.js')
      if (server.seen.length === 0) throw new DoesNotApply('it never asked the server')
      return lines
    },
  }
}
