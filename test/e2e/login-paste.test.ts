import { afterAll, beforeAll, expect, test } from 'vitest'
import { stubBrowser } from '../auth/browser-stub.ts'
import { homeFolder, stored } from '../auth/home.ts'
import { printedLink } from '../auth/host.ts'
import { startWorld } from '../auth/world.ts'
import { initialize, startBridge } from '../support/bridge.ts'
import { startLogin } from '../support/login.ts'
import { openBrowser } from '../worker/dev/browser.mjs'
import { fillForm, findRefresh } from '../worker/dev/browser.page.mjs'
import { startWorker } from '../worker/dev/serve.mjs'

/** Signs in as on another machine: up to the address that does not load there. */
async function signInElsewhere(link: string): Promise<string> {
  const redirectUri = new URL(link).searchParams.get('redirect_uri')!
  const answers = { login: 'ada', decision: 'allow' } as const
  const browser = openBrowser()
  let page = await browser.visit(link, { redirects: false })
  for (let steps = 0; steps < 40; steps++) {
    const target = page.headers.get('location') ?? findRefresh(page.body)
    if (target !== undefined) {
      const next = new URL(target, page.url).href
      if (next.startsWith(redirectUri)) return next
      page = await browser.visit(next, { redirects: false })
    } else if (fillForm(page.body, answers) !== undefined) {
      page = await browser.submit(page, answers, { redirects: false })
    } else {
      throw new Error(`no way on from ${page.url} (HTTP ${page.status})`)
    }
  }
  throw new Error('the sign-in does not end')
}

/** What the scripted authorization server sends the browser to. */
async function callbackOf(link: string): Promise<string> {
  const response = await fetch(link, { redirect: 'manual' })
  return response.headers.get('location')!
}

let worker: Awaited<ReturnType<typeof startWorker>>
beforeAll(async () => {
  worker = await startWorker({ flavour: 'oauth' })
})
afterAll(() => worker.stop())

test('the address that did not load, pasted, signs in; the relay then needs no OAuth request', async () => {
  const url = `${worker.url}/mcp`
  const home = homeFolder()
  const browser = stubBrowser()
  const login = startLogin(url, { home, args: ['--paste'], env: browser.env })
  const link = await login.link()
  await login.says(/Paste its address here/)
  login.type(await signInElsewhere(link))
  expect(await login.exit()).toBe(0)
  expect(login.stderr()).toMatch(/^Signed in to /m)
  expect(login.stdout()).toBe('')
  expect(browser.calls()).toEqual([])

  const from = worker.logs.length
  const bridge = startBridge(url, { home })
  bridge.write(initialize(0))
  expect(await bridge.answer(0)).toHaveProperty('result')
  const asked = worker.logs.slice(from).filter(({ event }) => event === 'request')
  expect(new Set(asked.map(({ path }) => path))).toEqual(new Set(['/mcp']))
})

test('the code alone signs in', async () => {
  const world = await startWorld()
  const login = startLogin(world.mcp.url, { args: ['--paste'] })
  const callback = new URL(await callbackOf(await login.link()))
  login.type(callback.searchParams.get('code')!)
  expect(await login.exit()).toBe(0)
  expect(login.stderr()).toMatch(/^Signed in to /m)
})

test('a code of another sign-in is worth nothing: PKCE refuses it', async () => {
  const world = await startWorld()
  const other = startLogin(world.mcp.url, { args: ['--paste'] })
  const stolen = new URL(await callbackOf(await other.link())).searchParams.get('code')!
  const login = startLogin(world.mcp.url, { args: ['--paste'] })
  await login.link()
  login.type(stolen)
  expect(await login.exit()).toBe(5)
  expect(login.stderr()).toMatch(/invalid_grant/)
})

test.each([
  ['with iss', { authorization_response_iss_parameter_supported: true }, []],
  [
    'without a promise to check PKCE',
    { code_challenge_methods_supported: undefined },
    ['--allow-missing-pkce'],
  ],
])('%s the whole address is needed', async (_, metadata, args) => {
  const world = await startWorld({
    script: {
      metadata,
      authorize(answer, _asked, issuer) {
        answer.set('iss', issuer)
      },
    },
  })
  const login = startLogin(world.mcp.url, { args: ['--paste', ...args] })
  const callback = await callbackOf(await login.link())
  login.type(new URL(callback).searchParams.get('code')!)
  await login.says(/Paste the whole address/)
  login.type(callback)
  expect(await login.exit()).toBe(0)
})

test('what does not fit is explained and may be tried again', async () => {
  const world = await startWorld()
  const login = startLogin(world.mcp.url, { args: ['--paste'] })
  const link = await login.link()
  const callback = await callbackOf(link)
  const wrong = new URL(callback)
  wrong.searchParams.set('state', 'somebody-elses')
  login.type('')
  login.type(wrong.href)
  await login.says(/belongs to another sign-in/)
  login.type(link)
  await login.says(/This is another page/)
  const denied = new URL(callback)
  denied.searchParams.delete('code')
  denied.searchParams.set('error', 'access_denied')
  login.type(denied.href)
  await login.says(/refused \(access_denied\)/)
  expect(world.authority.tokenCalls).toHaveLength(0)
  login.type(callback)
  expect(await login.exit()).toBe(0)
})

test('five useless texts are enough: exit 5', async () => {
  const world = await startWorld()
  const login = startLogin(world.mcp.url, { args: ['--paste'] })
  const link = await login.link()
  for (let i = 0; i < 5; i++) login.type(`${link}&try=${i}`)
  expect(await login.exit()).toBe(5)
  expect(login.stderr()).toMatch(
    /^bridge: Nothing that was pasted was of use\. \[sign_in_failed\]$/m,
  )
  expect(world.authority.tokenCalls).toHaveLength(0)
})

test('a browser that comes back by itself wins, and the end of stdin stops nothing', async () => {
  const world = await startWorld()
  const login = startLogin(world.mcp.url, { args: ['--paste'] })
  const link = await login.link()
  login.end()
  const page = await fetch(await callbackOf(link))
  expect(page.status).toBe(200)
  expect(await login.exit()).toBe(0)
})

test('the sign-in that a running relay waits for is completed by pasting elsewhere', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const bridge = startBridge(world.mcp.url, { home })
  bridge.write(initialize(0))
  const link = await printedLink(bridge)
  const login = startLogin(world.mcp.url, { home, args: ['--paste'] })
  expect(await login.link()).toBe(link)
  login.type(await callbackOf(link))
  expect(await login.exit()).toBe(0)
  expect(await bridge.answer(0)).toHaveProperty('result')
  expect(world.authority.tokenCalls).toHaveLength(1)
  expect(stored(home)).not.toHaveProperty('pending')
})

test('SIGINT while it waits for a paste: exit 130', async () => {
  const world = await startWorld()
  const login = startLogin(world.mcp.url, { args: ['--paste'] })
  await login.says(/Paste its address here/)
  login.signal('SIGINT')
  expect(await login.exit()).toBe(130)
})
