import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { editStored, homeFolder } from '../auth/home.ts'
import { finish, printedLink, startHost } from '../auth/host.ts'
import { startOidcWorld } from '../auth/oidc.ts'
import { startWorld } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { makeAuthority } from '../support/certificate.ts'

test('A-111: a client signs as its key in the environment says', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const names = { kid: 'k1', alg: 'PS256' }
  const jwk = { ...publicKey.export({ format: 'jwk' }), ...names, use: 'sig' }
  const world = await startOidcWorld({
    clients: [
      {
        client_id: 'signer',
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'PS256',
        jwks: { keys: [jwk] },
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
  })
  const KEY = JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...names })
  const args = ['--client-credentials', '--client-id', 'signer', '--client-key-env', 'KEY']
  const host = startHost(world.mcp.url, { args: [...args, '--issuer', world.issuer], env: { KEY } })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(host.stderr()).toBe('')
})

test('A-111: the key serves a person’s sign-in too, by code and by device, and every renewal', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const grants = ['authorization_code', 'refresh_token']
  const world = await startOidcWorld({
    device: true,
    clients: [
      {
        client_id: 'signer',
        application_type: 'native',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] },
        grant_types: [...grants, 'urn:ietf:params:oauth:grant-type:device_code'],
        redirect_uris: ['http://127.0.0.1/callback'],
      },
    ],
  })
  const home = homeFolder()
  const file = join(home, 'key')
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  const args = ['--client-id', 'signer', '--client-key-file', file]
  const host = startHost(world.mcp.url, { home, args })
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect(await host.answer(0)).toHaveProperty('result')
  await finish(host)
  editStored(home, (text) => text.replace(/"expiresAt":\d+/, `"expiresAt":${Date.now() - 1000}`))
  const renewing = startHost(world.mcp.url, { home, args })
  renewing.write(initialize(0))
  expect(await renewing.answer(0)).toHaveProperty('result')
  expect(renewing.stderr()).toBe('')
  const device = startHost(world.mcp.url, { args: [...args, '--device-code'] })
  device.write(initialize(0))
  await world.confirmDevice(await printedLink(device))
  expect(await device.answer(0)).toHaveProperty('result')
})

test('a key or a secret that others can read is not used', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const file = join(home, 'secret')
  writeFileSync(file, 'sentinel-secret')
  const client = ['--client-id', 'c', '--client-credentials']
  const idp = ['--idp-issuer', 'https://idp.example', '--idp-client-id', 'c']
  for (const [option, mode, rest] of [
    ['--client-key-file', 0o644, client],
    ['--client-secret-file', 0o604, client],
    ['--idp-client-secret-file', 0o666, idp],
    ['--idp-client-key-file', 0o655, idp],
  ] as const) {
    chmodSync(file, mode)
    const host = startHost(world.mcp.url, { home, args: [...rest, option, file] })
    expect(await host.exit()).toEqual({ code: 2, signal: null })
    expect(host.stderr()).toContain(
      `Others can read ${file} (mode 0${mode.toString(8)}, ${option})`,
    )
    expect(host.stderr()).toContain(`chmod 600 ${file}`)
    expect(host.stderr()).not.toContain('sentinel-secret')
  }
  expect(world.mcp.seen).toEqual([])
})

test('RFC 8705: a client is known by its certificate, at the endpoint that asks for one', async () => {
  const authority = makeAuthority()
  const server = authority.issue('127.0.0.1')
  const home = homeFolder()
  const files = { ca: authority.cert, ...authority.issue('machine.example') }
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(home, name), content, { mode: 0o600 })
  }
  const tls = { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: false }
  const clients = [
    {
      client_id: 'machine',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: 'machine.example',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ]
  const clientAuthMethods = ['client_secret_basic', 'none', 'tls_client_auth']
  const world = await startOidcWorld({ tls, clients, more: { clientAuthMethods } })
  const at = (name: string): string => join(home, name)
  const client = ['--client-credentials', '--client-id', 'machine', '--issuer', world.issuer]
  const certificate = ['--ca', at('ca'), '--cert', at('cert'), '--key', at('key')]
  const host = startHost(world.mcp.url, { args: [...client, ...certificate] })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(host.stderr()).toBe('')
  // Another certificate of the same authority is another client.
  for (const [name, content] of Object.entries(authority.issue('other.example'))) {
    writeFileSync(join(home, name), content, { mode: 0o600 })
  }
  const other = startHost(world.mcp.url, { args: [...client, ...certificate] })
  other.write(initialize(0))
  expect((await other.answer(0)).error?.message).toMatch(/invalid_client/)
})
