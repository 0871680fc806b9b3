import { expect, test } from 'vitest'
import { bindAnew, bindingFor } from '../../src/auth/binding.ts'
import type { Discovery } from '../../src/auth/discover.ts'
import { isOurs } from '../../src/auth/held.ts'
import type { AuthOptions } from '../../src/auth/options.ts'
import type { ServerRecord } from '../../src/store/record.ts'
import { authContext, authOptions, serverMetadata } from './context.ts'

const ISSUER = 'https://as.example'
const MAKES = { dpop_signing_alg_values_supported: ['ES256'] }

function binding(
  dpop: AuthOptions['dpop'],
  server: object,
  resource: object | undefined,
  { challenged = false, bound = false } = {},
) {
  const metadata = serverMetadata(server)
  const context = authContext(() => Promise.reject(new Error('no network')), {
    options: authOptions({ dpop }),
  })
  const record = { issuers: { [ISSUER]: { metadata, bound } } } as Partial<ServerRecord>
  const discovery = { issuer: ISSUER, metadata, resource } as Partial<Discovery>
  return bindingFor(context, discovery as Discovery, record as ServerRecord, challenged)
}

test.each<[string, ReturnType<typeof binding>, string | undefined]>([
  ['nobody wants them', binding('auto', MAKES, undefined), undefined],
  ['the server wants them', binding('auto', MAKES, MAKES), 'asked'],
  ['the challenge wants them', binding('auto', MAKES, undefined, { challenged: true }), 'asked'],
  [
    'the server insists',
    binding('auto', MAKES, { dpop_bound_access_tokens_required: true }),
    'required',
  ],
  ['nobody makes them', binding('auto', {}, MAKES, { challenged: true }), undefined],
  [
    'they are made for other keys',
    binding('auto', { dpop_signing_alg_values_supported: ['RS256'] }, MAKES),
    undefined,
  ],
  ['they were bound before', binding('auto', {}, undefined, { bound: true }), 'required'],
  ['the user insists', binding('required', MAKES, undefined), 'required'],
  ['the user does not want them', binding('off', MAKES, MAKES, { bound: true }), undefined],
])('RFC 9449 §5: tokens that are bound to a key, when %s', (_, found, expected) => {
  expect(found).toBe(expected)
  expect(bindAnew(found)?.required).toBe(
    expected === undefined ? undefined : expected === 'required',
  )
})

test('who insists on bound tokens does not get others', () => {
  expect(() => binding('required', {}, MAKES)).toThrow(/does not bind tokens to a key/)
})

const KEY = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' } as const
const person = { clientId: 'c', grant: 'authorization_code' }

test.each<[string, Parameters<typeof isOurs>[0], Partial<AuthOptions>, boolean]>([
  ['of the person', person, {}, true],
  ['of the person, who signed in with a code', { ...person, grant: 'device_code' }, {}, true],
  ['of a program', { ...person, grant: 'client_credentials' }, {}, false],
  ['of a person, for a program', person, { grant: 'client_credentials' }, false],
  ['that anybody could use, where they must be bound', person, { dpop: 'required' }, false],
  ['that are bound, where they must not be', { ...person, proofKey: KEY }, { dpop: 'off' }, false],
  ['that are bound', { ...person, proofKey: KEY }, { dpop: 'required' }, true],
  [
    'of another client',
    person,
    { client: { clientId: 'd', clientSecret: undefined, key: undefined, authMethod: undefined } },
    false,
  ],
])('stored tokens %s', (_, tokens, options, ours) => {
  expect(isOurs(tokens, authOptions(options))).toBe(ours)
})
