import { expect, test } from 'vitest'
import type { Script } from '../auth/authority.ts'
import { visit } from '../auth/browser-stub.ts'
import { homeFolder, stored } from '../auth/home.ts'
import { finish, printedLink, request, signedIn, startHost } from '../auth/host.ts'
import { startWorld, type World, type WorldOptions } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'

/** Signs in up to the end of the sign-in page; the answer to `initialize` and the page say how it went. */
async function attempt(
  options: WorldOptions,
  args: readonly string[] = [],
): Promise<{ world: World; page: string; answer: Record<string, unknown>; stderr: string }> {
  const world = await startWorld(options)
  const host = startHost(world.mcp.url, { args })
  host.write(initialize(0))
  const { text } = await visit(await printedLink(host))
  const answer = (await host.answer(0)) as unknown as Record<string, unknown>
  return { world, page: text, answer, stderr: host.stderr() }
}

test('A-53, A-54, A-55, A-57, A-64: what the authorization and the token request carry', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  world.authority.revokeAll()
  const host = startHost(world.mcp.url, { home })
  host.write(initialize(0))
  await visit(await printedLink(host))
  await host.answer(0)
  const [first, second] = world.authority.authorizations
  const [exchange] = world.authority.tokenCalls
  expect(Object.fromEntries(first!)).toEqual({
    response_type: 'code',
    client_id: 'client-1',
    redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:2\d{4}\/callback$/) as string,
    state: expect.stringMatching(/^[\w-]{43}$/) as string,
    code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
    code_challenge_method: 'S256',
    resource: world.mcp.url,
  })
  expect(Object.fromEntries(exchange!.form)).toEqual({
    grant_type: 'authorization_code',
    client_id: 'client-1',
    code: expect.stringMatching(/^code-/) as string,
    code_verifier: expect.stringMatching(/^[\w.~-]{43,128}$/) as string,
    redirect_uri: first!.get('redirect_uri'),
    resource: world.mcp.url,
  })
  // Another sign-in has another state and another verifier; the registered port is kept.
  expect(second!.get('state')).not.toBe(first!.get('state'))
  expect(second!.get('code_challenge')).not.toBe(first!.get('code_challenge'))
  expect(second!.get('redirect_uri')).toBe(first!.get('redirect_uri'))
  expect(world.authority.registrations).toHaveLength(1)
})

test('A-56: issuer, verifier, state, redirect URI and resource are on disk when the tab opens', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const host = startHost(world.mcp.url, { home })
  host.write(initialize(0))
  const asked = new URL(await host.browser.opened()).searchParams
  expect(stored(home)['pending']).toMatchObject({
    issuer: world.authority.issuer,
    state: asked.get('state'),
    redirectUri: asked.get('redirect_uri'),
    resource: asked.get('resource'),
    verifier: expect.stringMatching(/^[\w-]{43}$/) as string,
  })
})

test('A-51: a server that does not promise PKCE is refused before any browser opens', async () => {
  for (const methods of [undefined, ['plain']]) {
    const metadata = { code_challenge_methods_supported: methods }
    const world = await startWorld({ script: { metadata } })
    const host = startHost(world.mcp.url)
    host.write(initialize(0))
    const { error } = await host.answer(0)
    expect(error?.message).toContain('code_challenge_methods_supported')
    expect(error?.data?.['hint']).toContain('--allow-missing-pkce')
    expect(host.browser.calls()).toEqual([])
    expect(world.authority.authorizations).toEqual([])
  }
})

test('A-52: --allow-missing-pkce goes on, still with S256', async () => {
  const script = { metadata: { code_challenge_methods_supported: undefined } }
  const { world, answer } = await attempt({ script }, ['--allow-missing-pkce'])
  expect(answer).toHaveProperty('result')
  expect(world.authority.authorizations[0]!.get('code_challenge_method')).toBe('S256')
})

test('A-54, A-62, A-67: forged callbacks change nothing and the genuine one still counts', async () => {
  const world = await startWorld()
  const host = startHost(world.mcp.url)
  host.write(initialize(0))
  const link = await host.browser.opened()
  const redirect = new URL(link).searchParams.get('redirect_uri')!
  const state = new URL(link).searchParams.get('state')!
  const forged = [
    `${redirect}?code=x`,
    `${redirect}?code=x&state=wrong`,
    `${redirect}?error=access_denied`,
    `${redirect}?error=access_denied&state=wrong`,
    `${new URL(redirect).origin}/other?code=x&state=${state}`,
  ]
  for (const url of forged) expect((await fetch(url)).status).toBeGreaterThanOrEqual(400)
  const post = await fetch(`${redirect}?code=x&state=${state}`, { method: 'POST' })
  expect(post.status).toBe(405)
  expect(world.authority.tokenCalls).toEqual([])
  const page = await visit(link)
  expect(page.status).toBe(200)
  expect(await host.answer(0)).toHaveProperty('result')
  expect(world.authority.tokenCalls).toHaveLength(1)
  await expect(fetch(redirect)).rejects.toThrow('fetch failed')
})

const other = 'https://evil.example'
const iss = (value: string) => (answer: URLSearchParams) => answer.append('iss', value)
/** The authority's own issuer, as `change` spells it. */
const issued =
  (change: (issuer: string) => string): NonNullable<Script['authorize']> =>
  (answer, _asked, issuer) =>
    answer.append('iss', change(issuer))
const supported = { authorization_response_iss_parameter_supported: true }

test('A-60, A-61: the four rows of the iss table', async () => {
  for (const metadata of [supported, {}]) {
    const good = await attempt({ script: { metadata, authorize: issued((issuer) => issuer) } })
    expect(good.answer).toHaveProperty('result')
  }
  for (const script of [
    { metadata: supported }, // promised and missing
    { metadata: supported, authorize: iss(other) },
    { authorize: iss(other) },
  ]) {
    const { world, answer, page } = await attempt({ script })
    expect(answer).toHaveProperty('error')
    expect(world.authority.tokenCalls).toEqual([])
    expect(page).toContain('failed')
  }
})

test('A-60: an issuer is not normalised before it is compared', async () => {
  const spellings = [(issuer: string) => `${issuer}/`, (issuer: string) => issuer.toUpperCase()]
  for (const change of spellings) {
    const { answer, world } = await attempt({
      script: { authorize: issued(change) },
    })
    expect(answer).toHaveProperty('error')
    expect(world.authority.tokenCalls).toEqual([])
  }
})

test('A-61: the error of a wrong issuer is neither acted on nor shown', async () => {
  const text = 'call 555-0100'
  const { page, answer, stderr } = await attempt({
    script: {
      authorize: (reply) =>
        new URLSearchParams({
          error: 'access_denied',
          error_description: text,
          state: reply.get('state') ?? '',
          iss: other,
        }),
    },
  })
  for (const place of [page, JSON.stringify(answer), stderr]) {
    expect(place).not.toContain(text)
    expect(place).not.toContain('access_denied')
  }
})

test('A-105: what a server says reaches neither terminal nor page with its control characters', async () => {
  const { page, answer, stderr } = await attempt({
    script: {
      authorize: (reply) =>
        new URLSearchParams({
          error: 'access_denied',
          error_description: 'no \u001b]0;owned\u0007<script>alert(1)</script>',
          state: reply.get('state') ?? '',
        }),
    },
  })
  const { message } = answer['error'] as { message: string }
  expect(message).toMatch(/denied.*no/)
  for (const place of [page, message, stderr]) expect(place).not.toContain('\u001b')
  expect(page).not.toContain('<script>alert')
})

test('A refused exchange is told to the browser and to the host, and the bridge stays usable', async () => {
  const world = await startWorld()
  const host = startHost(world.mcp.url)
  world.authority.script.token = (_call, response) => {
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end('{"error":"invalid_grant","error_description":"code already used"}')
    return true
  }
  host.write(initialize(0))
  const page = await visit(await printedLink(host))
  expect(page.text).toContain('code already used')
  expect((await host.answer(0)).error?.message).toContain('code already used')
  delete world.authority.script.token
  host.write(initialize(1))
  await visit(await printedLink(host, 1))
  expect(await host.answer(1)).toHaveProperty('result')
})

test('A-58: a page that is not https is neither opened nor printed as something to open', async () => {
  for (const endpoint of [
    'javascript:alert(1)//',
    'file:///etc/passwd',
    'http://evil.example/authorize',
    'data:text/html,x',
  ]) {
    const world = await startWorld({ script: { metadata: { authorization_endpoint: endpoint } } })
    const host = startHost(world.mcp.url)
    host.write(initialize(0))
    expect(await host.answer(0)).toHaveProperty('error')
    expect(host.browser.calls()).toEqual([])
    expect(host.stderr()).not.toContain('To sign in')
  }
})

test('A-58, A-59: shell characters stay inside one argument; the address is printed as it is opened', async () => {
  const metadata = { authorization_endpoint: 'http://127.0.0.1:9/a?x=$(touch%20pwned)&calc|b;c`d`' }
  const world = await startWorld({ script: { metadata } })
  const host = startHost(world.mcp.url)
  host.write(initialize(0))
  const link = await host.browser.opened()
  expect(host.browser.calls()).toEqual([[link]])
  expect(link).toContain('&calc')
  expect(await printedLink(host)).toBe(link)
  const { searchParams } = new URL(link)
  // Neither stands anywhere by itself.
  expect(host.stderr().replaceAll(link, '')).not.toContain(searchParams.get('state'))
})

test('--no-browser prints the address and opens nothing', async () => {
  const world = await startWorld()
  const host = startHost(world.mcp.url, { args: ['--no-browser'] })
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(host.browser.calls()).toEqual([])
})

test('--auth-timeout ends the wait with a readable error; the next request may ask again', async () => {
  const world = await startWorld()
  const host = startHost(world.mcp.url, { args: ['--auth-timeout', '300ms'] })
  host.write(initialize(0))
  const { error } = await host.answer(0)
  expect(error?.message).toMatch(/Nobody signed in/)
  const redirect = new URL(await printedLink(host)).searchParams.get('redirect_uri')!
  await expect(fetch(redirect)).rejects.toThrow('fetch failed')
  host.write(request(1))
  expect(await printedLink(host, 1)).not.toBe(await printedLink(host, 0))
})

test('--authorize-param and --scope are part of the authorization request', async () => {
  const args = ['--authorize-param', 'audience=a b&c', '--scope', 'x y']
  const { world } = await attempt({}, args)
  const [asked] = world.authority.authorizations
  expect(asked!.get('audience')).toBe('a b&c')
  expect(asked!.get('scope')).toBe('x y')
})

test('A-55: --resource replaces the resource, --no-resource leaves it out', async () => {
  const own = await attempt({}, ['--resource', 'urn:my-resource'])
  expect(own.world.authority.authorizations[0]!.get('resource')).toBe('urn:my-resource')
  expect(own.world.authority.tokenCalls[0]!.form.get('resource')).toBe('urn:my-resource')
  const none = await attempt({}, ['--no-resource'])
  expect(none.world.authority.authorizations[0]!.has('resource')).toBe(false)
  expect(none.world.authority.tokenCalls[0]!.form.has('resource')).toBe(false)
})
