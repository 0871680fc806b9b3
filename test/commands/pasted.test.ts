import { expect, test } from 'vitest'
import { judgePasted } from '../../src/commands/pasted.ts'

const REDIRECT = 'http://127.0.0.1:23456/callback'
const LINK = `https://auth.example/authorize?${new URLSearchParams({
  client_id: 'c',
  redirect_uri: REDIRECT,
  state: 's+/=1',
})}`

const shown = { link: LINK, code: undefined, bareCode: true }
const genuine = `${REDIRECT}?code=a%2Fb&state=s%2B%2F%3D1`

test.each([
  ['the address', genuine],
  ['with blanks around it', `  ${genuine}\r`],
  ['in quotes', `"${genuine}"`],
  ['in angle brackets', `<${genuine}>`],
  ['without the scheme, as browsers show it', genuine.replace('http://', '')],
])('%s is loaded as it stands', (_, text) => {
  expect(judgePasted(text, shown)).toEqual({ ok: true, address: new URL(genuine) })
})

test('what else the address carries stays in it', () => {
  const address = `${genuine}&iss=https%3A%2F%2Fauth.example&session_state=1`
  expect(judgePasted(address, shown)).toEqual({ ok: true, address: new URL(address) })
})

test.each([
  ['as an application shows it', 'a/b'],
  ['as it stands in the address bar', 'a%2Fb'],
])('a code alone, %s, becomes the address of this sign-in', (_, text) => {
  const judged = judgePasted(text, shown)
  const params = judged.ok ? Object.fromEntries(judged.address.searchParams) : judged
  expect(params).toEqual({ code: 'a/b', state: 's+/=1' })
  expect(judged.ok && judged.address.href.startsWith(`${REDIRECT}?`)).toBe(true)
})

test('a code that is no valid encoding is taken as it is', () => {
  const judged = judgePasted('100%', shown)
  expect(judged.ok && judged.address.searchParams.get('code')).toBe('100%')
})

test.each([
  ['another state', `${REDIRECT}?code=a&state=other`, /another sign-in/],
  ['no state', `${REDIRECT}?code=a`, /another sign-in/],
  ['two states', `${genuine}&state=other`, /another sign-in/],
  ['no code', `${REDIRECT}?state=s%2B%2F%3D1`, /no code/],
  ['another host', genuine.replace('127.0.0.1', 'evil.example'), /another page/],
  ['another port', genuine.replace('23456', '23457'), /another page/],
  ['another path', genuine.replace('/callback', '/'), /another page/],
  ['another scheme', genuine.replace('http:', 'https:'), /another page/],
  ['the sign-in page itself', LINK, /another page.*127\.0\.0\.1:23456\/callback$/],
  ['a part of the address', 'code=a&state=s', /only a part/],
  ['the query', '?code=a&state=s', /only a part/],
  ['two words', 'the code', /only a part/],
  [
    'an error',
    `${REDIRECT}?error=access_denied&error_description=No+thanks&state=s%2B%2F%3D1`,
    /refused \(access_denied: No thanks\)/,
  ],
])('%s is refused with a reason', (_, text, why) => {
  expect(judgePasted(text, shown)).toEqual({ ok: false, why: expect.stringMatching(why) as string })
})

test('a code alone is refused where PKCE does not tie it to this sign-in', () => {
  const judged = judgePasted('abc', { ...shown, bareCode: false })
  expect(judged).toEqual({ ok: false, why: expect.stringMatching(/whole address/) as string })
  expect(judgePasted(genuine, { ...shown, bareCode: false }).ok).toBe(true)
})
