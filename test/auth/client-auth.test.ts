import { expect, test } from 'vitest'
import { clientAuthentications, endpointsFor, methodFor } from '../../src/auth/client-auth.ts'
import type { ConfiguredClient } from '../../src/auth/options.ts'
import type { StoredClient } from '../../src/store/record.ts'
import type { ServerMetadata } from '../../src/store/server-metadata.ts'
import { authOptions, configuredClient, serverMetadata } from './context.ts'

const accepting = (...methods: string[]): ServerMetadata =>
  serverMetadata({ token_endpoint_auth_methods_supported: methods })

const stored = (more: Partial<StoredClient> = {}): StoredClient => ({
  clientId: 'c',
  authMethod: 'client_secret_basic',
  redirectUris: [],
  ...more,
})

/** What each of the ways puts into a token request. */
async function waysOf(client: StoredClient, own?: ConfiguredClient): Promise<unknown[]> {
  const metadata = serverMetadata()
  const ways = await clientAuthentications(client, authOptions({ client: own }), metadata)
  return Promise.all(
    ways.map(async (way) => {
      const headers = new Headers()
      const body = new URLSearchParams()
      await way({ issuer: metadata.issuer }, { client_id: client.clientId }, body, headers)
      const basic = headers.get('authorization')?.replace('Basic ', '')
      return basic === undefined
        ? Object.fromEntries(body)
        : Buffer.from(basic, 'base64').toString('utf8')
    }),
  )
}

test.each<[string, ServerMetadata, ConfiguredClient, boolean, string]>([
  [
    'its key before its secret',
    serverMetadata(),
    configuredClient({ key: 'pem', clientSecret: 's' }),
    false,
    'private_key_jwt',
  ],
  [
    'a secret where nothing is listed',
    serverMetadata(),
    configuredClient({ clientSecret: 's' }),
    false,
    'client_secret_basic',
  ],
  [
    'a secret as the server takes it',
    accepting('client_secret_post'),
    configuredClient({ clientSecret: 's' }),
    false,
    'client_secret_post',
  ],
  [
    'a secret although it is not listed',
    accepting('none'),
    configuredClient({ clientSecret: 's' }),
    false,
    'client_secret_basic',
  ],
  [
    'a certificate that the server knows',
    accepting('self_signed_tls_client_auth'),
    configuredClient(),
    true,
    'self_signed_tls_client_auth',
  ],
  [
    'a certificate that is for the connection only',
    accepting('none'),
    configuredClient(),
    true,
    'none',
  ],
  ['a certificate where nothing is listed', serverMetadata(), configuredClient(), true, 'none'],
  ['nothing', accepting('tls_client_auth'), configuredClient(), false, 'none'],
])('A-41: a client with %s', (_, metadata, client, certificate, method) => {
  expect(methodFor(metadata, client, certificate)).toBe(method)
})

test.each<[string, StoredClient, ConfiguredClient | undefined, unknown[]]>([
  ['without a secret', stored(), undefined, [{ client_id: 'c' }]],
  [
    'that has none to show',
    stored({ authMethod: 'none', clientSecret: 's' }),
    undefined,
    [{ client_id: 'c' }],
  ],
  [
    'with a certificate',
    stored({ authMethod: 'tls_client_auth' }),
    undefined,
    [{ client_id: 'c' }],
  ],
  [
    'with a secret in the body',
    stored({ authMethod: 'client_secret_post', clientSecret: 's' }),
    undefined,
    [{ client_id: 'c', client_secret: 's' }],
  ],
  ['with a secret in the header', stored({ clientSecret: 's' }), undefined, ['c:s']],
  [
    'whose secret is spelled in two ways (A-72)',
    stored({ clientSecret: 's:é' }),
    undefined,
    ['c:s%3A%C3%A9', 'c:s:é'],
  ],
  [
    'of the user, whose secret is not stored',
    stored(),
    configuredClient({ clientSecret: 'own' }),
    ['c:own'],
  ],
  [
    'other than that of the user',
    stored({ clientId: 'other' }),
    configuredClient({ clientSecret: 'own' }),
    [{ client_id: 'other' }],
  ],
])('a client %s', async (_, client, own, ways) => {
  expect(await waysOf(client, own)).toEqual(ways)
})

test('a client whose key is gone cannot prove who it is', async () => {
  const client = stored({ authMethod: 'private_key_jwt' })
  await expect(waysOf(client, configuredClient())).rejects.toThrow(/key/)
})

const ALIASES = {
  token_endpoint: 'https://mtls.example/token',
  device_authorization_endpoint: 'https://mtls.example/device',
}

test.each<[string, Partial<ServerMetadata>, string, boolean, string | undefined]>([
  [
    'that is known by its certificate',
    { mtls_endpoint_aliases: ALIASES },
    'tls_client_auth',
    true,
    'mtls',
  ],
  [
    'whose tokens are bound to its certificate',
    { mtls_endpoint_aliases: ALIASES, tls_client_certificate_bound_access_tokens: true },
    'none',
    true,
    'mtls',
  ],
  [
    'without a certificate',
    { mtls_endpoint_aliases: ALIASES, tls_client_certificate_bound_access_tokens: true },
    'none',
    false,
    'as',
  ],
  ['of a server with one address for both', {}, 'tls_client_auth', true, 'as'],
])('RFC 8705 §5: a client %s asks there', (_, more, authMethod, certificate, place) => {
  const server = endpointsFor(stored({ authMethod }), authOptions({ certificate }), {
    ...serverMetadata({ device_authorization_endpoint: 'https://as.example/device' }),
    ...more,
  })
  expect(server.token_endpoint).toBe(`https://${place}.example/token`)
  expect(server.device_authorization_endpoint).toBe(`https://${place}.example/device`)
  expect(server.mtls_endpoint_aliases).toBeUndefined()
})
