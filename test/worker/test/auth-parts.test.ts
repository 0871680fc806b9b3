import { describe, expect, test } from 'vitest'
import { openJar } from '../dev/browser.cookies.mjs'
import { fillForm, findRefresh } from '../dev/browser.page.mjs'
import { html, toText } from '../src/auth/html.ts'
import { refuseFlood } from '../src/auth/registration.ts'
import { readSettings, type AuthEnv } from '../src/auth/settings.ts'
import { chooseProvider } from '../src/auth/upstream/choose.ts'

describe('markup', () => {
  test('escapes every string and keeps markup', () => {
    const inner = html`<b>${'<&">'}</b>`
    expect(toText(html`<p title="${"it's"}">${inner}${[inner]}${undefined}</p>`)).toBe(
      '<p title="it&#39;s"><b>&lt;&amp;&quot;&gt;</b><b>&lt;&amp;&quot;&gt;</b></p>',
    )
  })
})

describe('the flood guard of registrations', () => {
  const request = new Request('https://worker.example/oauth/register', {
    headers: { 'CF-Connecting-IP': '192.0.2.7' },
  })

  test('counts by address and says when to come back', async () => {
    const keys: string[] = []
    const full: RateLimit = {
      limit: async ({ key }) => {
        keys.push(key)
        return { success: false }
      },
    }
    const answer = await refuseFlood(request, full)
    expect(answer?.status).toBe(429)
    expect(answer?.headers.get('Retry-After')).toBe('60')
    expect(keys).toEqual(['192.0.2.7'])
  })

  test.each([undefined, { limit: async () => ({ success: true }) }])(
    'lets others through',
    async (limiter) => {
      expect(await refuseFlood(request, limiter)).toBeUndefined()
    },
  )
})

describe('settings', () => {
  const envWith = (vars: Readonly<Record<string, string>>) => vars as unknown as AuthEnv

  test.each(['0', '-5', '1.5', 'soon', ''])('refuse the lifetime "%s"', (value) => {
    expect(() => readSettings(envWith({ ACCESS_TOKEN_TTL_S: value }))).toThrow('ACCESS_TOKEN_TTL_S')
  })

  test('refuse a signing key that can be guessed', () => {
    expect(() => readSettings(envWith({ CONSENT_SECRET: 'secret' }))).toThrow('CONSENT_SECRET')
  })

  test('have safe defaults', () => {
    expect(readSettings(envWith({}))).toEqual({
      accessTokenTtlS: 3600,
      refreshTokenTtlS: 30 * 24 * 3600,
      consentSecret: undefined,
      registrationHosts: [],
      adminUserIds: [],
    })
  })

  test.each([
    [{}, 'UPSTREAM must be one of github, oidc'],
    [{ UPSTREAM: 'toString' }, 'UPSTREAM must be one of github, oidc'],
    [{ UPSTREAM: 'github' }, 'GITHUB_CLIENT_ID is not set'],
    [
      { UPSTREAM: 'oidc', OIDC_ISSUER: 'https://idp.example', OIDC_CLIENT_ID: 'x' },
      'OIDC_CLIENT_SECRET',
    ],
  ])('of %o say what is missing', (vars, message) => {
    expect(() => chooseProvider(envWith(vars))).toThrow(message)
  })
})

describe('the scripted browser', () => {
  const jar = openJar()
  const page = new URL('http://127.0.0.1:1/a/b')

  test('keeps a cookie for its origin and path until it is taken back', () => {
    jar.keep(page, ['__Host-x=1; Path=/; Secure; HttpOnly', 'deep=2; Path=/a', 'else=3; Path=/ab'])
    expect(jar.header(page)).toBe('__Host-x=1; deep=2')
    expect(jar.header(new URL('http://127.0.0.1:1/'))).toBe('__Host-x=1')
    expect(jar.header(new URL('http://127.0.0.1:2/a/b'))).toBe('')
    jar.keep(page, [
      '__Host-x=; Path=/; Max-Age=0',
      'deep=; Path=/a; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    ])
    expect(jar.header(page)).toBe('')
  })

  const form = `<form method="post" action="/next?a=1&amp;b=2">
    <input type="hidden" name="handle" value="a&quot;b">
    <input type="checkbox" name="scope" value="one" checked /><input type="checkbox" name="scope" value="two">
    <input type="checkbox" name="fixed" checked disabled>
    <button name="decision" value="deny">No</button><button name="decision" value="allow">Yes</button></form>`

  test('sends what a person would send by pressing a button', () => {
    const filled = fillForm(form, { decision: 'allow' })
    expect(filled?.action).toBe('/next?a=1&b=2')
    expect([...(filled?.body ?? [])]).toEqual([
      ['handle', 'a"b'],
      ['scope', 'one'],
      ['decision', 'allow'],
    ])
  })

  test('ticks other boxes when told to', () => {
    expect(fillForm(form, { decision: 'deny', scope: 'two' })?.body.getAll('scope')).toEqual([
      'two',
    ])
  })

  test('finds nothing to press on a page without that button', () => {
    expect(fillForm(form, { decision: 'maybe' })).toBeUndefined()
    expect(fillForm('<h1>Done</h1>', { decision: 'allow' })).toBeUndefined()
  })

  test('follows a page that leads on by itself', () => {
    expect(findRefresh('<meta http-equiv="refresh" content="0; url=/x?a=1&amp;b=2" />')).toBe(
      '/x?a=1&b=2',
    )
    expect(findRefresh('<p>url=/x</p>')).toBeUndefined()
  })
})
