import { createPrivateKey } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TlsOptions } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { finish, request } from '../auth/host.ts'
import { initialize, startBridge } from '../support/bridge.ts'
import { makeAuthority } from '../support/certificate.ts'
import { watchRoutes } from '../support/hostile-process.ts'
import { initializeResult, json, startServer, type TestServer } from '../support/http-server.ts'
import { startLogin } from '../support/login.ts'
import { startMcpServer } from '../support/mcp-server.ts'
import { startProxy } from '../support/proxy.ts'

const company = makeAuthority('Company Authority')
const client = company.issue('client-of-the-company')
const PASSPHRASE = 'sentinel-passphrase'
const PASSWORD = 'sentinel-p@ssword'

/** A server of the company: its certificate is of the company's own authority. */
const secure: TlsOptions = company.issue('mcp.example', 'as.example', '127.0.0.1')

/** One that wants to see a certificate of the same authority. */
const demanding: TlsOptions = {
  ...secure,
  ca: company.cert,
  requestCert: true,
  rejectUnauthorized: true,
}

/** The files of a member of the company; the key is locked. */
function memberFiles(): { ca: string; cert: string; key: string; openKey: string } {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-network-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const write = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 })
    return join(folder, name)
  }
  const locked = createPrivateKey(client.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: PASSPHRASE,
  })
  return {
    ca: write('ca.pem', company.cert),
    cert: write('cert.pem', client.cert),
    key: write('key.pem', String(locked)),
    openKey: write('open.pem', client.key),
  }
}

/** The names that clients have shown to a server so far. */
function clientsOf(server: TestServer): string[] {
  const names: string[] = []
  server.onSecure((socket) => names.push(String(socket.getPeerCertificate().subject?.CN)))
  return names
}

/** An MCP server and its authorization server, each under a name that only the proxy knows. */
async function startCompany() {
  const mcp = await startServer(
    ({ method, path, headers, message }, response) => {
      if (path.startsWith('/.well-known/oauth-protected-resource')) {
        const resource = 'https://mcp.example/mcp'
        json(response, { resource, authorization_servers: ['https://as.example'] })
      } else if (headers.authorization !== 'Bearer token-1') {
        const metadata = 'https://mcp.example/.well-known/oauth-protected-resource/mcp'
        const challenge = `Bearer resource_metadata="${metadata}"`
        json(response, {}, { status: 401, headers: { 'www-authenticate': challenge } })
      } else if (method !== 'POST') response.writeHead(405).end()
      else if (message?.method === 'initialize') json(response, initializeResult(message.id))
      else json(response, { jsonrpc: '2.0', id: message?.id, result: {} })
    },
    { tls: demanding },
  )
  const as = await startServer(
    ({ path }, response) => {
      if (path === '/.well-known/oauth-authorization-server') {
        json(response, {
          issuer: 'https://as.example',
          token_endpoint: 'https://as.example/token',
          grant_types_supported: ['client_credentials'],
          token_endpoint_auth_methods_supported: ['client_secret_basic'],
        })
      } else if (path === '/token') {
        json(response, { access_token: 'token-1', token_type: 'Bearer', expires_in: 3600 })
      } else response.writeHead(404).end()
    },
    { tls: demanding },
  )
  return { mcp, as }
}

const hostOf = ({ origin }: TestServer): string => new URL(origin).host

test('server and sign-in alike: proxy with password, private authority, client certificate', async () => {
  const { mcp, as } = await startCompany()
  const shown = [clientsOf(mcp), clientsOf(as)]
  const routes = { 'mcp.example:443': hostOf(mcp), 'as.example:443': hostOf(as) }
  const proxy = await startProxy({ routes, credentials: `user:${PASSWORD}` })
  const files = memberFiles()
  const watched = watchRoutes({})
  const identity = ['--cert', files.cert, '--key', files.key, '--passphrase-env', 'PHRASE']
  const signIn = ['--client-credentials', '--client-id', 'c', '--client-secret-env', 'SECRET']
  const bridge = startBridge('https://mcp.example/mcp', {
    ...watched.options,
    args: ['--ca', files.ca, ...identity, '--issuer', 'https://as.example', ...signIn],
    env: {
      ...watched.options.env,
      HTTPS_PROXY: proxy.url.replace('//', `//user:${encodeURIComponent(PASSWORD)}@`),
      PHRASE: PASSPHRASE,
      SECRET: 'sentinel-secret',
    },
  })
  bridge.write(initialize(0))
  expect(await bridge.answer(0)).toHaveProperty('result')
  bridge.write(request(1))
  expect(await bridge.answer(1)).toHaveProperty('result')
  await finish(bridge)

  expect(new Set(proxy.asked)).toEqual(new Set(['mcp.example:443', 'as.example:443']))
  // Nothing was connected to but the proxy.
  const { port } = new URL(proxy.url)
  expect(new Set(watched.entries())).toEqual(new Set([`127.0.0.1 ${port}`]))
  for (const names of shown) expect(new Set(names)).toEqual(new Set(['client-of-the-company']))
  const output = bridge.stderr() + bridge.lines.join('\n')
  const encoded = Buffer.from(`user:${PASSWORD}`).toString('base64')
  for (const secret of [/sentinel/, new RegExp(encoded)]) expect(output).not.toMatch(secret)
})

test('the authorization server is no way around the private network check behind a proxy', async () => {
  const { mcp, as } = await startCompany()
  const routes = { 'mcp.example:443': hostOf(mcp), 'as.example:443': hostOf(as) }
  const proxy = await startProxy({ routes })
  const files = memberFiles()
  const watched = watchRoutes({ 'mcp.example': '198.51.100.1', 'as.example': '10.0.0.5' })
  const bridge = startBridge('https://mcp.example/mcp', {
    ...watched.options,
    args: ['--proxy', proxy.url, '--ca', files.ca, '--cert', files.cert, '--key', files.openKey],
  })
  bridge.write(initialize(0))
  const { error } = await bridge.answer(0)
  expect(error?.message).toContain('an address of a private network')
  expect(proxy.asked).not.toContain('as.example:443')
})

describe('the error says what helps', () => {
  test.each<[string, TlsOptions, string[], RegExp, RegExp]>([
    [
      'an authority that is not known',
      secure,
      [],
      /certificate could not be verified/,
      /--use-system-ca.*--ca/,
    ],
    [
      'no client certificate, TLS 1.3',
      demanding,
      ['--ca'],
      /demands a client certificate/,
      /--cert and --key/,
    ],
    [
      'no client certificate, TLS 1.2',
      { ...demanding, maxVersion: 'TLSv1.2' },
      ['--ca'],
      /refused the TLS handshake/,
      /--cert and --key/,
    ],
  ])('%s', async (_, tls, flags, message, hint) => {
    const server = await startMcpServer({}, { tls })
    const files = memberFiles()
    const args = flags.flatMap((flag) => [flag, files.ca])
    const bridge = startBridge(server.url, { args })
    bridge.write(initialize(0))
    const { error } = await bridge.answer(0)
    expect(error?.message).toMatch(message)
    expect(String(error?.data?.['hint'])).toMatch(hint)
    expect(error?.code).toBe(-31001)
  })

  test('a proxy that wants a password: its host is named, the password never', async () => {
    const proxy = await startProxy({ credentials: 'a:b' })
    const env = { BRIDGE_PROXY: proxy.url.replace('//', '//user:sentinel@') }
    const bridge = startBridge('https://mcp.example/mcp', { env })
    bridge.write(initialize(0))
    const { error } = await bridge.answer(0)
    expect(error?.message).toBe(
      `No connection to https://mcp.example: the proxy does not accept this user name and password (${proxy.host}: HTTP 407).`,
    )
    expect(error?.data).toMatchObject({ phase: 'connect', hint: expect.stringContaining('Check') })
    await finish(bridge)
    expect(bridge.stderr() + bridge.lines.join('\n')).not.toContain('sentinel')

    const login = startLogin('https://mcp.example/mcp', { args: ['--no-browser'], env })
    expect(await login.exit()).toBe(3)
    expect(login.stderr()).toContain(proxy.host)
    expect(login.stderr()).toContain('percent-encoded')
    expect(login.stderr()).not.toContain('sentinel')
  })

  test.each<[string, (files: ReturnType<typeof memberFiles>) => string[], RegExp]>([
    [
      'a file of authorities that is missing',
      ({ ca }) => ['--ca', `${ca}.x`],
      /Cannot read \S+ca\.pem\.x \(ENOENT, --ca\)/,
    ],
    [
      'a locked key',
      ({ cert, key }) => ['--cert', cert, '--key', key],
      /is encrypted\. \[usage\]\n.*--passphrase-env/,
    ],
    [
      'a key that others can read',
      ({ cert, openKey }) => {
        chmodSync(openKey, 0o644)
        return ['--cert', cert, '--key', openKey]
      },
      /Others can read the key in \S+open\.pem \(mode 0644\)\. \[usage\]\n.*chmod 600/,
    ],
  ])('%s ends the start: exit code 2', async (_, argsOf, stderr) => {
    const bridge = startBridge('https://mcp.example/mcp', { args: argsOf(memberFiles()) })
    expect(await bridge.exit()).toMatchObject({ code: 2 })
    expect(bridge.stderr()).toMatch(stderr)
  })
})

describe('other ways to trust an authority', () => {
  const other = makeAuthority('Another Authority')

  test.each<
    [string, (file: string, otherFile: string) => { args?: string[]; env?: NodeJS.ProcessEnv }]
  >([
    ['NODE_EXTRA_CA_CERTS', (file) => ({ env: { NODE_EXTRA_CA_CERTS: file } })],
    [
      'NODE_EXTRA_CA_CERTS beside --ca',
      (file, otherFile) => ({ args: ['--ca', otherFile], env: { NODE_EXTRA_CA_CERTS: file } }),
    ],
    ['the system', (file) => ({ args: ['--use-system-ca'], env: { SSL_CERT_FILE: file } })],
  ])('%s', async (_, optionsOf) => {
    const server = await startMcpServer({}, { tls: secure })
    const { ca } = memberFiles()
    const otherFile = `${ca}.other`
    writeFileSync(otherFile, other.cert)
    const bridge = startBridge(server.url, optionsOf(ca, otherFile))
    bridge.write(initialize(0))
    expect(await bridge.answer(0)).toHaveProperty('result')
  })
})

describe('cookies', () => {
  /** A load balancer whose backends know their own sessions only, and each of which has its turn. */
  async function startBalancer(): Promise<TestServer> {
    let turn = 0
    return startServer(({ method, headers, message }, response) => {
      const chosen = /\bLB=(\d+)/.exec(headers.cookie ?? '')?.[1]
      const backend = chosen ?? String(++turn)
      const session = `session-of-${backend}`
      if (chosen === undefined) response.setHeader('set-cookie', `LB=${backend}; Path=/; HttpOnly`)
      if (method !== 'POST') response.writeHead(method === 'DELETE' ? 204 : 405).end()
      else if (message?.method === 'initialize') {
        json(response, initializeResult(message.id), { headers: { 'mcp-session-id': session } })
      } else if (headers['mcp-session-id'] !== session) response.writeHead(404).end()
      else if (message?.id === undefined) response.writeHead(202).end()
      else json(response, { jsonrpc: '2.0', id: message.id, result: {} })
    })
  }

  test('lead every request to the backend that has the session', async () => {
    const balancer = await startBalancer()
    const bridge = startBridge(balancer.url)
    bridge.write(initialize(0))
    expect(await bridge.answer(0)).toHaveProperty('result')
    for (let id = 1; id <= 10; id++) {
      bridge.write(request(id))
      expect(await bridge.answer(id)).toHaveProperty('result')
    }
    await finish(bridge)
    const [, ...later] = balancer.seen.map(({ headers }) => headers.cookie)
    expect(new Set(later)).toEqual(new Set(['LB=1']))
    expect(bridge.stderr()).not.toContain('LB=')
  })

  test('stay away with --no-cookies', async () => {
    const balancer = await startBalancer()
    const bridge = startBridge(balancer.url, { args: ['--no-cookies'] })
    bridge.write(initialize(0))
    await bridge.answer(0)
    bridge.write(request(1))
    await bridge.answer(1)
    const cookies = balancer.seen.map(({ headers }) => headers.cookie)
    expect(cookies.length).toBeGreaterThanOrEqual(2)
    expect(new Set(cookies)).toEqual(new Set([undefined]))
  })
})
