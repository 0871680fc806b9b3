import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { clientIdMetadataDocument, registrationBody } from '../../src/auth/client-metadata.ts'

const published = JSON.parse(
  readFileSync(new URL('../../docs/client-metadata.json', import.meta.url), 'utf8'),
) as Record<string, unknown>

test('A-43: the published document is what the program means', () => {
  expect(published).toEqual(clientIdMetadataDocument(String(published['client_id'])))
})

test('A-43: it has an id, a name and redirect URIs, and no secret', () => {
  expect(published).toMatchObject({
    client_id: expect.stringMatching(/^https:\/\/[^/]+\/.+/) as string,
    client_name: expect.any(String) as string,
    token_endpoint_auth_method: 'none',
  })
  expect(Object.keys(published).join()).not.toContain('secret')
})

test('A-63: every redirect URI is on loopback', () => {
  for (const uri of published['redirect_uris'] as string[]) {
    expect(['127.0.0.1', 'localhost']).toContain(new URL(uri).hostname)
  }
})

test('A-45: the document and a registration say the same about the client', () => {
  const body = registrationBody({
    redirectUri: 'http://127.0.0.1:1/callback',
    device: true,
    scope: undefined,
    authMethod: 'none',
    own: {},
  })
  const { client_id: _, redirect_uris: __, ...common } = published
  expect(body).toMatchObject(common)
})
