import { describe, expect, test } from 'vitest'
import type { HttpRequest, HttpResponse } from '../../src/http/client.ts'
import { createCookieJar } from '../../src/http/cookies.ts'
import { withCookies } from '../../src/http/with-cookies.ts'
import { MAX_COOKIES, MAX_ORIGIN_COOKIE_BYTES } from '../../src/limits.ts'

const SERVER = new URL('https://mcp.example/api/mcp')

/** What goes back to a URL after these lines, an hour later by default. */
function sent(lines: string[], to: string | URL = SERVER, laterMs = 3_600_000, from = SERVER) {
  let now = 1_700_000_000_000
  const jar = createCookieJar(() => now)
  for (const line of lines) jar.store(from, line)
  now += laterMs
  return jar.header(new URL(to), undefined)
}

describe('a cookie', () => {
  test.each<[string, string[], string | undefined]>([
    ['comes back', ['LB=a1'], 'LB=a1'],
    ['with its bytes as they are', ['LB="a%20b"=='], 'LB="a%20b"=='],
    ['in its last version', ['LB=a', 'LB=b'], 'LB=b'],
    ['with others', ['LB=a', 'S=b'], 'LB=a; S=b'],
    ['empty, too', ['LB='], 'LB='],
    ['not without a name', ['=a', 'a', ''], undefined],
    ['not with control characters', ['LB=a\u0001b'], undefined],
    ['while Max-Age lasts', ['LB=a; Max-Age=3601'], 'LB=a'],
    ['not after Max-Age', ['LB=a; Max-Age=3600'], undefined],
    [
      'Max-Age before Expires',
      ['LB=a; Max-Age=9999; Expires=Thu, 01 Jan 1970 00:00:00 GMT'],
      'LB=a',
    ],
    ['not after Expires', ['LB=a; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], undefined],
    ['removed', ['LB=a', 'LB=; Max-Age=0'], undefined],
    ['a date that is none is no end', ['LB=a; Expires=soon'], 'LB=a'],
    ['below its path', ['LB=a; Path=/api'], 'LB=a'],
    ['not beside its path', ['LB=a; Path=/ap'], undefined],
    ['longer paths first', ['A=1; Path=/', 'B=2; Path=/api'], 'B=2; A=1'],
    ['of this host', ['LB=a; Domain=mcp.example'], 'LB=a'],
    ['of a parent of it', ['LB=a; Domain=.example'], 'LB=a'],
    ['not of another host', ['LB=a; Domain=other.example'], undefined],
    ['not of a host with the same end', ['LB=a; Domain=cp.example'], undefined],
    [
      'of a load balancer',
      ['AWSALB=x/y+z=; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Path=/; Secure; SameSite=None'],
      'AWSALB=x/y+z=',
    ],
    ['not when it is too long', [`LB=${'x'.repeat(5000)}`], undefined],
  ])('%s', (_, lines, expected) => {
    expect(sent(lines)).toBe(expected)
  })

  test.each([
    'https://other.example/api/mcp',
    'https://sub.mcp.example/api/mcp',
    'https://mcp.example:8443/api/mcp',
    'http://mcp.example/api/mcp',
    'https://mcp.example/other',
  ])('is not for %s', (to) => {
    expect(sent(['LB=a; Domain=mcp.example'], to)).toBeUndefined()
  })

  test('with Secure is not taken over http, except on this machine', () => {
    const plain = new URL('http://mcp.example/')
    expect(sent(['LB=a; Secure'], plain, 0, plain)).toBeUndefined()
    const local = new URL('http://127.0.0.1:8080/')
    expect(sent(['LB=a; Secure'], local, 0, local)).toBe('LB=a')
  })

  test('is one of a bounded number', () => {
    const many = Array.from({ length: MAX_COOKIES + 7 }, (_, i) => `C${i}=${i}`)
    const kept = sent(many)!.split('; ')
    expect(kept).toHaveLength(MAX_COOKIES)
    expect(kept[0]).toBe('C7=7')
    const large = Array.from({ length: 9 }, (_, i) => `C${i}=${'x'.repeat(1000)}`)
    expect(sent(large)!.length).toBeLessThanOrEqual(MAX_ORIGIN_COOKIE_BYTES + 10)
  })

  test('of the user comes first and wins', () => {
    const jar = createCookieJar(() => 0)
    for (const line of ['LB=ours', 'S=s']) jar.store(SERVER, line)
    expect(jar.header(SERVER, 'LB=theirs; a=b')).toBe('LB=theirs; a=b; S=s')
  })
})

test('requests carry what earlier responses set', async () => {
  const seen: (string | undefined)[] = []
  const answers: HttpResponse['headers'][] = [
    {},
    { 'set-cookie': ['LB=a', 'S=b'] },
    {},
    { 'set-cookie': 'LB=c' },
    {},
  ]
  const send = withCookies((request: HttpRequest) => {
    seen.push(request.headers['cookie'])
    const headers = answers.shift()!
    const consume = (): Promise<void> => Promise.resolve()
    return Promise.resolve({ status: 200, headers, url: request.url, consume, discard: () => {} })
  })
  for (let i = 0; i < 5; i++) await send({ method: 'POST', url: SERVER, headers: {} })
  expect(seen).toEqual([undefined, undefined, 'LB=a; S=b', 'LB=a; S=b', 'S=b; LB=c'])
})
