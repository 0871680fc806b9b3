import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser } from '../dev/browser.mjs'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { listenForCallback, makeApp, register, registerApp, type App } from './oauth.client.ts'

let worker: RunningWorker
let callback: Awaited<ReturnType<typeof listenForCallback>>
let app: App
beforeAll(async () => {
  callback = await listenForCallback()
  worker = await startWorker({
    flavour: 'oauth',
    vars: { CONSENT_SECRET: 'thirty-two characters at the least', OIDC_NAME: 'Example <ID>' },
  })
  app = await registerApp(worker.url, callback.url)
})
afterAll(async () => {
  callback.close()
  await worker.stop()
})

describe('the consent page', () => {
  test('cannot be framed, scripted or given a base, and posts to itself only', async () => {
    const { headers, body } = await openBrowser().visit(app.authorizeUrl())
    const policy = headers.get('Content-Security-Policy') ?? ''
    expect(policy).toMatch(/default-src 'none'; style-src 'nonce-[\w-]{36}'/)
    expect(policy).toContain("form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
    expect(policy).not.toMatch(/script-src|unsafe/)
    expect(headers.get('X-Frame-Options')).toBe('DENY')
    expect(headers.get('Cache-Control')).toBe('no-store')
    expect(body).not.toMatch(/<script|\son\w+=|javascript:/i)
  })

  test('works for light, dark, keyboards and screen readers by plain markup', async () => {
    const { body } = await openBrowser().visit(app.authorizeUrl({ scope: 'mcp:read notes:admin' }))
    expect(body).toContain('<html lang="en">')
    expect(body).toContain('prefers-color-scheme: dark')
    expect(body.match(/<h1>/g)).toHaveLength(1)
    expect(body).toMatch(/<fieldset>\s*<legend>/)
    const boxes = [...body.matchAll(/<input\s+type="checkbox"\s+id="([^"]+)"/g)].map(([, id]) => id)
    expect(boxes).toEqual(['mcp:read', 'notes:admin', 'remember'])
    for (const id of boxes) expect(body).toContain(`<label for="${id}">`)
  })

  test('names the app, the host that gets the access, and warns that it is this computer', async () => {
    const { body } = await openBrowser().visit(app.authorizeUrl())
    expect(body).toContain('<bdi>Test app</bdi>')
    expect(body).toMatch(/<strong>127\.0\.0\.1<\/strong\s*>/)
    expect(body).toContain('app on this computer')
    expect(body).toContain('Unverified')
  })

  test('shows hostile names as text', async () => {
    const name = '<img src=x onerror=alert(1)>"\'&amp;'
    const answer = await register(worker.url, { client_name: name, redirect_uris: [callback.url] })
    const { client_id: id } = (await answer.json()) as { client_id: string }
    const { body } = await openBrowser().visit(makeApp(worker.url, id, callback.url).authorizeUrl())
    expect(body).not.toContain('<img')
    expect(body).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;amp;')
    expect(body).toContain('Example &lt;ID&gt;')
  })

  test('does not let a name run backwards, or fill the page', async () => {
    const answer = await register(worker.url, {
      client_name: `\u202Eevil${'x'.repeat(300)}`,
      redirect_uris: [callback.url],
    })
    const { client_id: id } = (await answer.json()) as { client_id: string }
    const { body } = await openBrowser().visit(makeApp(worker.url, id, callback.url).authorizeUrl())
    expect(body).not.toContain('\u202E')
    expect(body).toContain(`<bdi>evil${'x'.repeat(76)}…</bdi>`)
  })

  test('offers the known scopes of a request and keeps quiet about the others', async () => {
    const { body } = await openBrowser().visit(
      app.authorizeUrl({ scope: 'notes:admin <b>made:up</b>' }),
    )
    expect(body).toContain('value="notes:admin"')
    expect(body).toContain('mcp:read')
    expect(body).not.toContain('made:up')
  })
})

describe('a decision', () => {
  test('to allow grants what is still ticked, and the base scope always', async () => {
    const browser = openBrowser()
    const page = await browser.visit(app.authorizeUrl({ scope: 'mcp:read notes:admin' }))
    const signIn = await browser.submit(page, { decision: 'allow', scope: '' })
    const { url } = await browser.submit(signIn, { login: 'ada' })
    const tokens = (await (await app.redeem(new URL(url))).json()) as { scope: string }
    expect(tokens.scope).toBe('mcp:read')
  })

  test('to deny goes back to the app with access_denied, its state and the issuer', async () => {
    const { searchParams } = await app.signIn('mcp:read', { consent: 'deny' })
    expect(Object.fromEntries(searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'state-of-the-app',
      iss: worker.url,
    })
    expect(searchParams.has('code')).toBe(false)
  })

  test('to cancel at the identity provider says access_denied as well', async () => {
    const browser = openBrowser()
    const page = await browser.visit(app.authorizeUrl())
    const signIn = await browser.submit(page, { decision: 'allow' })
    const { url } = await browser.submit(signIn, { cancel: 'yes' })
    expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'state-of-the-app',
      iss: worker.url,
    })
  })

  test('leaves the page without a redirect, which form-action would stop', async () => {
    const browser = openBrowser()
    const page = await browser.visit(app.authorizeUrl())
    const moment = await browser.submit(page, { decision: 'allow' }, { redirects: false })
    expect(moment.status).toBe(200)
    expect(moment.headers.get('Location')).toBeNull()
    expect(moment.body).toContain(
      `<meta http-equiv="refresh" content="0; url=${worker.idp?.issuer}`,
    )
    expect(moment.body).toMatch(/<a class="button" href="http:/)
  })
})

describe('a forged decision', () => {
  test('posted by another browser is refused, and the real one can still decide', async () => {
    const victim = openBrowser()
    const page = await victim.visit(app.authorizeUrl())
    const forged = await openBrowser().submit(page, { decision: 'allow' })
    expect(forged.status).toBe(400)
    expect(forged.body).toContain('Sign-in stopped')
    const real = await victim.submit(page, { decision: 'deny' })
    expect(new URL(real.url).searchParams.get('error')).toBe('access_denied')
  })

  test('from a page of another site is refused by its origin', async () => {
    const page = await openBrowser().visit(app.authorizeUrl())
    const answer = await fetch(page.url, {
      method: 'POST',
      headers: { Origin: 'https://evil.example' },
      body: new URLSearchParams({ handle: 'x', decision: 'allow' }),
    })
    expect(answer.status).toBe(403)
  })

  test('posted twice counts once', async () => {
    const browser = openBrowser()
    const page = await browser.visit(app.authorizeUrl())
    await browser.submit(page, { decision: 'allow' })
    const again = await browser.submit(page, { decision: 'allow' })
    expect(again.status).toBe(400)
  })

  test('that is no form at all is refused', async () => {
    const answer = await fetch(`${worker.url}/authorize`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    })
    expect(answer.status).toBe(400)
  })
})

describe('a forged callback', () => {
  test.each(['', '?code=stolen', '?code=stolen&state=guessed'])(
    '"%s" is refused',
    async (query) => {
      const answer = await fetch(`${worker.url}/callback${query}`, { redirect: 'manual' })
      expect(answer.status).toBe(400)
      expect(answer.headers.get('Location')).toBeNull()
    },
  )

  test('with a real state in another browser is refused', async () => {
    const browser = openBrowser()
    const page = await browser.visit(app.authorizeUrl())
    const moment = await browser.submit(page, { decision: 'allow' }, { redirects: false })
    const state = /[?&;]state=([\w-]+)/.exec(moment.body)?.[1]
    const answer = await fetch(`${worker.url}/callback?code=stolen&state=${state}`, {
      redirect: 'manual',
    })
    expect(answer.status).toBe(400)
  })
})

describe('an authorization request', () => {
  test.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['an address that was not registered', { redirect_uri: 'http://127.0.0.1:1/elsewhere' }],
    ['an address with script in it', { redirect_uri: 'javascript:alert(1)' }],
  ])('of %s is answered here and never redirected', async (_what, changes) => {
    const page = await openBrowser().visit(app.authorizeUrl(changes), { redirects: false })
    expect(page.status).toBe(400)
    expect(page.headers.get('Location')).toBeNull()
    expect(page.body).toContain('Sign-in stopped')
  })

  test.each([
    [
      'without PKCE',
      'invalid_request',
      { code_challenge: undefined, code_challenge_method: undefined },
    ],
    ['with PKCE "plain"', 'invalid_request', { code_challenge_method: 'plain' }],
    ['for another resource', 'invalid_target', { resource: 'https://elsewhere.example/mcp' }],
    ['for a token in the fragment', 'unsupported_response_type', { response_type: 'token' }],
  ])('%s goes back to the app with the error %s', async (_what, error, changes) => {
    const { url } = await openBrowser().visit(app.authorizeUrl(changes))
    const { searchParams, pathname } = new URL(url)
    expect(pathname).toBe('/callback')
    expect(searchParams.get('error')).toBe(error)
    expect(searchParams.get('iss')).toBe(worker.url)
  })

  test('of a confidential client needs PKCE too', async () => {
    const answer = await register(worker.url, {
      redirect_uris: [callback.url],
      token_endpoint_auth_method: 'client_secret_basic',
    })
    const { client_id: id } = (await answer.json()) as { client_id: string }
    const url = makeApp(worker.url, id, callback.url).authorizeUrl({
      code_challenge: undefined,
      code_challenge_method: undefined,
    })
    const page = await openBrowser().visit(url)
    expect(new URL(page.url).searchParams.get('error')).toBe('invalid_request')
  })
})

describe('a remembered approval', () => {
  const approveAndRemember = async (scope: string) => {
    const browser = openBrowser()
    const page = await browser.visit(app.authorizeUrl({ scope }))
    const signIn = await browser.submit(page, { decision: 'allow', remember: 'yes' })
    await browser.submit(signIn, { login: 'ada' })
    return browser
  }

  test('spares the page the next time, but not the sign-in', async () => {
    const browser = await approveAndRemember('mcp:read')
    const next = await browser.visit(app.authorizeUrl())
    expect(next.url).toContain(worker.idp?.issuer)
    expect(next.body).toContain('Who are you?')
  })

  test('does not cover more scopes', async () => {
    const browser = await approveAndRemember('mcp:read')
    const next = await browser.visit(app.authorizeUrl({ scope: 'mcp:read notes:admin' }))
    expect(next.body).toContain('Delete all notes')
  })

  test('does not cover another app', async () => {
    const browser = await approveAndRemember('mcp:read')
    const other = await registerApp(worker.url, callback.url)
    const next = await browser.visit(other.authorizeUrl())
    expect(next.body).toContain('It will be able to')
  })
})
