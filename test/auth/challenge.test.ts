import { describe, expect, test } from 'vitest'
import { tokenChallenge } from '../../src/auth/challenge.ts'

const url = 'https://h.example/.well-known/oauth-protected-resource'

describe('A-02: the Bearer challenge is found in real WWW-Authenticate headers', () => {
  test.each([
    ['alone', [`Bearer resource_metadata="${url}", scope="a b"`]],
    ['after another scheme', [`Basic realm="x", Bearer resource_metadata="${url}", scope="a b"`]],
    ['before another scheme', [`Bearer scope="a b", resource_metadata="${url}", Basic realm="x"`]],
    ['in a second header line', ['Negotiate', `Bearer scope="a b", resource_metadata="${url}"`]],
    ['after a token68', [`Negotiate abc/+def==, Bearer resource_metadata="${url}",scope="a b"`]],
    ['after a scheme without parameters', [`NTLM, bearer SCOPE="a b", Resource_Metadata="${url}"`]],
    ['without quotes', [`Bearer resource_metadata=${url}, scope="a b"`]],
    [
      'with spaces around the equals sign',
      [`Bearer  scope = "a b" , resource_metadata = "${url}"`],
    ],
    ['without commas', [`Bearer resource_metadata="${url}" scope="a b"`]],
    ['with empty list elements', [`, ,Bearer scope="a b",, resource_metadata="${url}",`]],
    [
      'with a comma in a quoted value',
      [`Bearer realm="a, Basic b=", resource_metadata="${url}", scope="a b"`],
    ],
    ['with escapes', [`Bearer realm="a \\" b\\\\", resource_metadata="${url}", scope="a\\ b"`]],
    ['after garbage', [`@@ "x" Bearer resource_metadata="${url}", scope="a b"`]],
    [
      'spread over two Bearer challenges',
      [`Bearer realm="x"`, `Bearer resource_metadata="${url}", scope="a b"`],
    ],
  ])('%s', (_, values) => {
    expect(tokenChallenge(values)).toMatchObject({ resourceMetadata: url, scope: 'a b' })
  })

  test.each([
    ['Basic realm="Bearer scope=x"'],
    ['DPoPX algs="ES256"'],
    ['BearerX scope="a"'],
    [''],
  ])('there is none in %s', (value) => {
    expect(tokenChallenge([value])).toBeUndefined()
  })

  test('a value without its closing quote ends with the header', () => {
    expect(tokenChallenge(['Bearer scope="a b'])).toMatchObject({ scope: 'a b' })
  })
})

describe('A-03: four parameters are read, unknown ones are not mistaken for them', () => {
  test('a name that ends like a known one is another name', () => {
    expect(tokenChallenge(['Bearer max_scope="big", scope="small"'])?.scope).toBe('small')
  })

  test('error and error_description', () => {
    const challenge = tokenChallenge([
      'Bearer error="insufficient_scope", x=1, error_description="needs \\"more\\"", scope=write',
    ])
    expect(challenge).toEqual({
      dpop: false,
      resourceMetadata: undefined,
      scope: 'write',
      error: 'insufficient_scope',
      errorDescription: 'needs "more"',
    })
  })

  test('the first of two equal names counts, an empty value is none', () => {
    expect(tokenChallenge(['Bearer scope="a", scope="b"'])?.scope).toBe('a')
    expect(tokenChallenge(['Bearer scope=""'])).toEqual({
      dpop: false,
      resourceMetadata: undefined,
      scope: undefined,
      error: undefined,
      errorDescription: undefined,
    })
  })
})

test('A-115: a DPoP challenge is one for a token, too', () => {
  const value = `DPoP algs="ES256", error="use_dpop_nonce", resource_metadata="${url}"`
  expect(tokenChallenge([value])).toMatchObject({
    dpop: true,
    resourceMetadata: url,
    error: 'use_dpop_nonce',
  })
  expect(tokenChallenge([`Bearer scope="a", DPoP algs="ES256"`])).toMatchObject({
    dpop: true,
    scope: 'a',
  })
})
