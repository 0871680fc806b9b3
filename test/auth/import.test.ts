import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Discovery } from '../../src/auth/discover.ts'
import { importSignIn } from '../../src/auth/import.ts'
import type { AuthOptions } from '../../src/auth/options.ts'
import type { ServerRecord } from '../../src/store/record.ts'
import type { ServerMetadata } from '../../src/store/server-metadata.ts'
import { emptyFolder } from '../store/folder.ts'
import { authContext, authOptions, serverMetadata } from './context.ts'

const SERVER = 'https://h.example/mcp'
const ISSUER = 'https://as.example'
const EMPTY: ServerRecord = { layout: 1, server: SERVER, profile: 'default', issuers: {} }
const TOKENS = { access_token: 'a', refresh_token: 'r', expires_at: 5, scope: 's' }
const CLIENT = { client_id: 'c', redirect_uris: ['http://127.0.0.1:1/cb'] }

interface Given {
  readonly tokens?: object | undefined
  readonly client?: object | undefined
  /** What its files are named after. */
  readonly key?: string
  readonly options?: Partial<AuthOptions>
  readonly record?: Partial<ServerRecord>
  readonly metadata?: Partial<ServerMetadata>
  readonly version?: string
}

/** What is adopted of a store of mcp-remote. */
async function adopted(given: Given): Promise<ServerRecord | undefined> {
  const { key = SERVER, options, record, metadata, version = 'mcp-remote-v1' } = given
  const root = emptyFolder()
  const name = createHash('md5').update(key).digest('hex')
  mkdirSync(join(root, version))
  for (const [what, content] of Object.entries({
    tokens: given.tokens,
    client_info: given.client,
  })) {
    if (content !== undefined) {
      writeFileSync(join(root, version, `${name}_${what}.json`), JSON.stringify(content))
    }
  }
  const found = {
    issuer: ISSUER,
    metadata: serverMetadata(metadata),
    published: true,
    resource: undefined,
  } satisfies Discovery
  const context = authContext(() => Promise.reject(new Error('no network')), {
    env: { MCP_REMOTE_CONFIG_DIR: root },
    options: authOptions(options),
    find: () => Promise.resolve(found),
  })
  return importSignIn(context, { ...EMPTY, ...record }, undefined)
}

test('tokens and client are adopted as they are', async () => {
  const record = await adopted({ tokens: TOKENS, client: CLIENT })
  expect(record?.current).toBe(ISSUER)
  expect(record?.issuers[ISSUER]?.tokens).toMatchObject({
    accessToken: 'a',
    refreshToken: 'r',
    expiresAt: 5,
    scope: 's',
    resource: SERVER,
    clientId: 'c',
  })
  expect(record?.issuers[ISSUER]?.client).toEqual({
    clientId: 'c',
    clientSecret: undefined,
    secretExpiresAt: undefined,
    authMethod: 'none',
    redirectUris: CLIENT.redirect_uris,
  })
})

test.each<[string, Given]>([
  [
    'settings that are part of its names',
    {
      key: `${SERVER}|res|{"a":"1","b":"2"}|https://c.example/id`,
      options: {
        resource: 'res',
        authorizeParams: { b: '2', a: '1' },
        clientMetadataUrl: 'https://c.example/id',
      },
    },
  ],
  ['a slash that was typed', { key: `${SERVER}/` }],
  ['the folder of one of its versions', { version: 'mcp-remote-0.1.38' }],
])('the store is found by %s', async (_, given) => {
  expect((await adopted({ tokens: TOKENS, client: CLIENT, ...given }))?.current).toBe(ISSUER)
})

test.each<[string, Given, object]>([
  ['has no end and cannot be renewed', { tokens: { access_token: 'a' } }, { expiresAt: undefined }],
  [
    'has no end and can be renewed',
    { tokens: { access_token: 'a', refresh_token: 'r' } },
    { expiresAt: 0 },
  ],
  [
    'is for a resource of the user',
    { tokens: TOKENS, key: `${SERVER}|res`, options: { resource: 'res' } },
    { resource: 'res' },
  ],
])('a token that %s', async (_, given, tokens) => {
  const record = await adopted({ client: CLIENT, ...given })
  expect(record?.issuers[ISSUER]?.tokens).toMatchObject(tokens)
})

test('tokens of the client that the user names are adopted without what was registered', async () => {
  const own = { clientId: 'own', clientSecret: undefined, key: undefined, authMethod: undefined }
  const record = await adopted({ tokens: TOKENS, options: { client: own } })
  expect(record?.issuers[ISSUER]).toMatchObject({ tokens: { accessToken: 'a', clientId: 'own' } })
  expect(record?.issuers[ISSUER]?.client).toBeUndefined()
})

test.each<[string, object, Partial<ServerMetadata>, object]>([
  [
    'with a secret that ends',
    { client_secret: 's', client_secret_expires_at: 7 },
    {},
    { clientSecret: 's', secretExpiresAt: 7_000, authMethod: 'client_secret_basic' },
  ],
  [
    'with a secret that does not end',
    { client_secret: 's', client_secret_expires_at: 0 },
    {},
    { secretExpiresAt: undefined },
  ],
  [
    'with a secret as the server takes it',
    { client_secret: 's' },
    { token_endpoint_auth_methods_supported: ['client_secret_post'] },
    { authMethod: 'client_secret_post' },
  ],
  [
    'with a secret although none is listed',
    { client_secret: 's' },
    { token_endpoint_auth_methods_supported: ['none'] },
    { authMethod: 'client_secret_basic' },
  ],
  [
    'that says how it proves itself',
    { token_endpoint_auth_method: 'client_secret_post' },
    {},
    { authMethod: 'client_secret_post' },
  ],
  ['without redirect URIs', { redirect_uris: undefined }, {}, { redirectUris: [] }],
])('a client %s is adopted without tokens, too', async (_, more, metadata, client) => {
  const record = await adopted({ client: { ...CLIENT, ...more }, metadata })
  expect(record?.issuers[ISSUER]?.client).toMatchObject(client)
  expect(record?.issuers[ISSUER]?.tokens).toBeUndefined()
})

test.each<[string, Given]>([
  ['there is none', {}],
  [
    'somebody has signed in here before',
    { record: { issuers: { [ISSUER]: { metadata: serverMetadata() } } } },
  ],
  ['another account is meant', { options: { profile: 'work' } }],
  ['the id token is what is sent', { options: { useIdToken: true } }],
  [
    'the tokens are of another authorization server',
    { tokens: { ...TOKENS, issuer: 'https://b.example' } },
  ],
  [
    'the client is of another authorization server',
    { tokens: undefined, client: { ...CLIENT, issuer: 'https://b.example' } },
  ],
  ['nobody knows for which client they are', { client: undefined }],
  ['it is damaged', { tokens: { access_token: 1 }, client: { client_id: 1 } }],
])('nothing is adopted when %s', async (_, given) => {
  const store = Object.keys(given).length === 0 ? {} : { tokens: TOKENS, client: CLIENT }
  expect(await adopted({ ...store, ...given })).toBeUndefined()
})
