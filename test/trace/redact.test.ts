import { describe, expect, test } from 'vitest'
import { createSecrets, type SecretKind } from '../../src/secrets.ts'
import { createRedactor } from '../../src/trace/redact.ts'

const key = Buffer.alloc(32, 7)
const MASK = /‹[a-z]+:[0-9a-f]{8}›/

function redactor(...known: [SecretKind, string][]): (text: string) => string {
  const secrets = createSecrets()
  for (const [kind, value] of known) secrets.learn(kind, value)
  const redact = createRedactor(secrets.known, key)
  return (text) =>
    Buffer.from(redact(Buffer.from(text).toString('latin1')), 'latin1').toString('utf8')
}

describe('a known secret', () => {
  const secret = 'pa/ss"w€rd+1'
  const masks = redactor(['password', secret])

  test.each([
    ['as it is', secret],
    ['in JSON', JSON.stringify({ note: secret })],
    ['in JSON in JSON', JSON.stringify({ note: JSON.stringify({ note: secret }) })],
    ['in a URL', `https://a.example/?q=${encodeURIComponent(secret)}`],
    ['in a form', new URLSearchParams({ q: secret }).toString()],
  ])('is masked %s', (_, text) => {
    const masked = masks(text)
    expect(masked).toMatch(MASK)
    for (const spelling of [secret, encodeURIComponent(secret)]) {
      expect(masked).not.toContain(spelling)
    }
    expect(masked).not.toMatch(/ss\\*"w/)
  })

  test.each([
    ['a slash with a backslash', String.raw`{"note":"abc/token123"}`.replace('/', '\\/')],
    ['a letter as a number', String.raw`{"note":"\u0061bc/token123"}`],
  ])('is found behind %s', (_, text) => {
    const masked = redactor(['token', 'abc/token123'])(text)
    expect(masked).toMatch(MASK)
    expect(masked).not.toContain('token123')
    expect(() => JSON.parse(masked) as unknown).not.toThrow()
  })

  test('has the same fingerprint everywhere, and another secret another one', () => {
    const both = redactor(['token', 'first-secret'], ['token', 'second-secret'])
    const [a, b, c] = [...both('first-secret second-secret first-secret').matchAll(/:(\w{8})›/g)]
    expect(a![1]).toBe(c![1])
    expect(a![1]).not.toBe(b![1])
  })

  test('cannot be looked up by its fingerprint: another trace has another key', () => {
    const secrets = createSecrets()
    secrets.learn('token', 'first-secret')
    const [one, two] = [createRedactor(secrets.known), createRedactor(secrets.known)]
    expect(one('first-secret')).not.toBe(two('first-secret'))
  })

  test('that is part of another one leaves nothing of it', () => {
    const masked = redactor(['token', 'abcdef'], ['header', 'Key abcdef ghijkl'])
    expect(masked('x Key abcdef ghijkl y')).toMatch(/^x ‹header:\w{8}› y$/)
  })

  test('that is learned later is masked from then on', () => {
    const secrets = createSecrets()
    const late = createRedactor(secrets.known, key)
    expect(late('a late-secret')).toBe('a late-secret')
    secrets.learn('code', 'late-secret')
    expect(late('a late-secret')).not.toContain('late')
  })
})

describe('a secret that nobody knows', () => {
  const redact = redactor()
  const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'

  test.each([
    ['a member', '{"access_token":"hidden-value","n":1}', '"n":1}'],
    ['a member with spaces', '{ "client_secret" : "hidden-value" }', ' }'],
    ['a member in camel case', '{"refreshToken":"hidden-value"}', '}'],
    ['a member with escapes', String.raw`{"password":"hidden-\u0076alue\/x"}`, '"}'],
    ['a member that was cut', '{"access_token":"hidden-val', ''],
    [
      'a member in a string',
      String.raw`{"text":"{\"api_key\": \"hidden-value\"}"}`,
      String.raw`\"}"}`,
    ],
    ['two strings deep', String.raw`{"a":"\"{\\\"token\\\":\\\"hidden-value\\\"}\""}`, '"}'],
    ['a header', '{"authorization":"Basic hidden-value"}', '}'],
    ['a header line', '{"text":"Cookie: a=hidden-value"}', '"}'],
    ['a credential', 'sent Bearer hidden-value-of-some-length.', ''],
    ['a query', 'https://a.example/?code=hidden-value&x=1', '&x=1'],
    ['a fragment', 'https://a.example/#access_token=hidden-value', ''],
    ['a query that Go wrote', String.raw`{"u":"/?x=1\u0026state=hidden-value"}`, '"}'],
    ['user information', 'https://ada:hidden-value@a.example/', '@a.example/'],
    ['a JWT', `{"x":"${jwt}"}`, '"}'],
    ['a marked key', 'ghp_hiddenvaluehiddenvaluehidden', ''],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nhidden-value\n-----END PRIVATE KEY-----', ''],
  ])('is masked in %s', (_, text, rest) => {
    const masked = redact(text)
    expect(masked).toMatch(MASK)
    expect(masked).not.toMatch(/hidden|eyJ/)
    expect(masked.endsWith(rest)).toBe(true)
  })

  test.each([
    '{"progressToken":"abc-def-ghi","cursor":"next-page"}',
    '{"code":-32602,"message":"no"}',
    '{"method":"tools/call","params":{"name":"token_count"}}',
    'Bearer realm="a", resource_metadata="https://a.example/.well-known/x"',
    String.raw`{"h":"Bearer resource_metadata=\"https://a.example/x\""}`,
    '{"id":12345678901234567890,"text":"ordinary ‹text›"}',
    'https://a.example:8080/path?page=2@3',
  ])('is not seen where there is none: %s', (text) => {
    expect(redact(text)).toBe(text)
  })
})

test('short values are not learned: they are words that occur anywhere', () => {
  expect(redactor(['header', 'true'])('{"isError":true}')).toBe('{"isError":true}')
})

test('what is forgotten first is the oldest', () => {
  const secrets = createSecrets()
  for (let i = 0; i < 1_001; i++) secrets.learn('token', `secret-${i}`)
  expect(secrets.known().size).toBe(1_000)
  expect(secrets.known().has('secret-0')).toBe(false)
})
