import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Callback, listenForCallback, type Outcome } from '../../src/auth/loopback.ts'
import { launchChromium } from '../support/chromium.ts'
import { startServer } from '../support/http-server.ts'
import { until } from '../support/until.ts'

const STATE = 'k3Jv9-Zq_7mXw2Lr5TbN8yHc4PdSf6Ga1Ue0RiOoVtQ'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // What an attacker's name server does: first its own address, then ours.
  '--host-resolver-rules=MAP evil.test 127.0.0.1',
]

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium(FLAGS)
})

afterAll(async () => {
  await browser.close()
})

async function listen(port = 0): Promise<Callback> {
  const { signal } = new AbortController()
  const callback = await listenForCallback({ host: '127.0.0.1', port, path: '/callback', signal })
  onTestFinished(() => callback.close())
  return callback
}

/** A page of its own profile that notes what a content security policy stopped. */
async function openPage(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options)
  onTestFinished(() => context.close())
  await context.addInitScript({
    content: `
      globalThis.violations = []
      document.addEventListener('securitypolicyviolation', (event) => {
        violations.push(event.effectiveDirective)
      })`,
  })
  return context.newPage()
}

/** What any page can try that knows the port, which a stable port per server gives away. */
function hostilePage(origin: string): string {
  const forged = `${origin}/callback?code=forged&state=forged`
  const denied = `${origin}/callback?error=access_denied`
  return `<!doctype html><title>hostile</title>
<iframe name="frame"></iframe>
<form id="post" method="post" action="${forged}" target="frame"><input name="code" value="forged"></form>
<script>
  const attempt = (name, work) => work.then(
    () => [name, 'done'],
    (error) => [name, String(error)],
  )
  const loads = (element) => new Promise((resolve, reject) => {
    element.onload = resolve
    element.onerror = () => reject('error')
    document.body.append(element)
  })
  const element = (name, properties) => Object.assign(document.createElement(name), properties)
  const socket = () => new Promise((resolve, reject) => {
    const opened = new WebSocket('${forged.replace('http:', 'ws:')}')
    opened.onopen = resolve
    opened.onerror = () => reject('error')
  })
  const posted = () => new Promise((resolve) => {
    document.querySelector('[name=frame]').onload = resolve
    document.querySelector('#post').submit()
  })
  globalThis.outcomes = Promise.all([
    attempt('fetch, opaque', fetch('${forged}', { mode: 'no-cors' })),
    attempt('fetch, read', fetch('${denied}').then((response) => response.text())),
    attempt('fetch, post', fetch('${forged}', { method: 'POST', mode: 'no-cors', body: 'code=forged' })),
    attempt('fetch, preflight', fetch('${forged}', { headers: { 'x-a': 'b' } })),
    attempt('beacon', Promise.resolve(navigator.sendBeacon('${denied}', 'x'))),
    attempt('image', loads(element('img', { src: '${forged}&as=image' }))),
    attempt('script', loads(element('script', { src: '${forged}&as=script' }))),
    attempt('iframe', loads(element('iframe', { src: '${forged}&as=iframe' }))),
    attempt('form', posted()),
    attempt('socket', socket()),
  ]).then(Object.fromEntries)
</script>`
}

/** What came over the wire from an origin, also what the browser then kept from the page. */
async function exchangesWith(origin: string, page: Page): Promise<() => readonly string[]> {
  const asked = new Map<string, string>()
  const answered = new Map<string, number>()
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  session.on('Network.requestWillBeSent', ({ requestId, request: { method, url } }) => {
    if (url.startsWith(origin)) asked.set(requestId, `${method} ${url.slice(origin.length)}`)
  })
  session.on('Network.responseReceivedExtraInfo', ({ requestId, statusCode }) => {
    answered.set(requestId, statusCode)
  })
  return () =>
    [...asked]
      .filter(([id]) => answered.has(id))
      .map(([id, request]) => `${request} → ${answered.get(id)}`)
      .sort()
}

test('hostile pages change nothing, and the genuine callback still succeeds', async () => {
  const callback = await listen()
  const origin = `http://127.0.0.1:${callback.port}`
  let answer: URLSearchParams | undefined
  const answering = callback.answer(STATE).then((params) => (answer = params))
  const hostile = await startServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(hostilePage(origin))
  })
  const page = await openPage()
  const exchanges = await exchangesWith(origin, page)
  await page.goto(hostile.origin.replace('127.0.0.1', 'evil.test'))
  const outcomes: Record<string, string> = await page.evaluate('outcomes')

  // Every attempt but the WebSocket, of which the browser shows nothing but the failure.
  const refused = [
    'GET /callback?code=forged&state=forged → 400',
    'GET /callback?code=forged&state=forged&as=iframe → 400',
    'GET /callback?code=forged&state=forged&as=image → 400',
    'GET /callback?code=forged&state=forged&as=script → 400',
    'GET /callback?error=access_denied → 400',
    'OPTIONS /callback?code=forged&state=forged → 405',
    'POST /callback?code=forged&state=forged → 405',
    'POST /callback?code=forged&state=forged → 405',
    'POST /callback?error=access_denied → 405',
  ]
  await until('an answer to every attempt', () => exchanges().length >= refused.length, {
    seen: () => JSON.stringify({ exchanges: exchanges(), outcomes }),
  })
  expect(exchanges()).toEqual(refused)
  // The page learns nothing. A beacon, a frame and a form are "done" whatever the answer was.
  expect(outcomes).toEqual({
    'fetch, opaque': 'TypeError: Failed to fetch',
    'fetch, read': 'TypeError: Failed to fetch',
    'fetch, post': 'TypeError: Failed to fetch',
    'fetch, preflight': 'TypeError: Failed to fetch',
    beacon: 'done',
    image: 'error',
    script: 'error',
    iframe: 'done',
    form: 'done',
    socket: 'error',
  })
  expect(answer).toBeUndefined()

  const genuine = await openPage()
  const loaded = genuine.goto(`${callback.redirectUri}?code=genuine&state=${STATE}`)
  expect((await answering).get('code')).toBe('genuine')
  callback.finish({ ok: true })
  expect((await loaded)?.status()).toBe(200)
  expect(await genuine.title()).toBe('You are signed in')
})

test('a page whose name now means this machine is not answered, not even with the state', async () => {
  // Name and port stay, and the browser takes what answers there for the page's own server.
  const hostile = await startServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>')
  })
  const port = Number(new URL(hostile.origin).port)
  const page = await openPage()
  await page.goto(`http://evil.test:${port}/`)
  await hostile.close()
  const callback = await listen(port)
  let answer: URLSearchParams | undefined
  const answering = callback.answer(STATE).then((params) => (answer = params))

  const forged = `/callback?code=forged&state=${STATE}`
  const read = `fetch('${forged}').then(async (response) => [response.status, await response.text()])`
  expect(await page.evaluate(read)).toEqual([400, 'Not a sign-in.\n'])
  const direct = await page.goto(`http://evil.test:${port}${forged}`)
  expect(direct?.status()).toBe(400)
  expect(answer).toBeUndefined()

  const loaded = page.goto(`${callback.redirectUri}?code=genuine&state=${STATE}`)
  expect((await answering).get('code')).toBe('genuine')
  callback.finish({ ok: true })
  expect((await loaded)?.status()).toBe(200)
})

test('who closes the page while the tokens are fetched and opens it again gets it as well, and changes nothing', async () => {
  const callback = await listen()
  const answering = callback.answer(STATE)
  const impatient = await openPage()
  const url = `${callback.redirectUri}?code=genuine&state=${STATE}`
  const first = impatient.goto(url).catch((error: unknown) => String(error))
  await answering
  await impatient.close()
  expect(await first).toMatch(/closed|ERR_ABORTED/)
  const page = await openPage()
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  let sent = 0
  session.on('Network.requestWillBeSentExtraInfo', () => sent++)
  const second = page.goto(url)
  await until('the second request', () => sent === 1)
  // A round trip later our listener has read it.
  await fetch(new URL('/other', callback.redirectUri))
  callback.finish({ ok: true })
  expect((await second)?.status()).toBe(200)
  expect(await page.title()).toBe('You are signed in')
})

const SUCCESS: Outcome = { ok: true }
const MARKUP = '</p><script>pwned = 1</script><img src=x onerror="pwned = 1">'
const FAILURE: Outcome = { ok: false, title: `Denied ${MARKUP}`, detail: `It said ${MARKUP}` }

test.each([
  ['success', 'light', SUCCESS, 'You are signed in', 'rgb(28, 33, 31)'],
  ['success', 'dark', SUCCESS, 'You are signed in', 'rgb(237, 240, 238)'],
  ['failure', 'light', FAILURE, `Denied ${MARKUP}`, 'rgb(28, 33, 31)'],
  ['failure', 'dark', FAILURE, `Denied ${MARKUP}`, 'rgb(237, 240, 238)'],
] as const)(
  '%s page, %s: rendered as meant, nothing executed, nothing loaded',
  async (_name, colorScheme, outcome, heading, ink) => {
    const callback = await listen()
    const answering = callback.answer(STATE)
    const page = await openPage({ colorScheme, viewport: { width: 320, height: 640 } })
    const requests: string[] = []
    const messages: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => messages.push(message.text()))
    const url = `${callback.redirectUri}?code=genuine&state=${STATE}`
    const loaded = page.goto(url)
    await answering
    callback.finish(outcome)
    await loaded

    expect(await page.locator('h1').innerText()).toBe(heading)
    expect(await page.locator('main p').last().innerText()).toContain('You can close this window')
    // The style sheet passed its own policy, in the colours of the scheme.
    expect(await page.evaluate('getComputedStyle(document.body).color')).toBe(ink)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
    expect(await page.evaluate('globalThis.pwned')).toBeUndefined()
    expect(await page.evaluate('violations')).toEqual([])
    expect(requests.filter((request) => !request.startsWith('data:'))).toEqual([url])
    expect(messages.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([])

    // The proof that the policy would have stopped it, had it not been text.
    await page.evaluate(`
      document.body.append(Object.assign(document.createElement('script'), { text: 'pwned = 2' }))
      document.body.insertAdjacentHTML('beforeend', '<img src="/x" onerror="pwned = 3">')`)
    const stopped = await until('the policy to stop both', async () => {
      const seen: string[] = await page.evaluate('violations')
      return seen.length >= 2 && seen
    })
    expect(stopped).toEqual(expect.arrayContaining(['script-src-elem', 'img-src']))
    expect(await page.evaluate('globalThis.pwned')).toBeUndefined()
  },
)

test.each([
  ['no-preference', true],
  ['reduce', false],
] as const)('motion: %s', async (reducedMotion, moves) => {
  const callback = await listen()
  const answering = callback.answer(STATE)
  const page = await openPage({ reducedMotion })
  const loaded = page.goto(`${callback.redirectUri}?code=genuine&state=${STATE}`)
  await answering
  callback.finish({ ok: true })
  await loaded
  expect(await page.evaluate('document.getAnimations().length > 0')).toBe(moves)
})

test('an old tab is told that nobody waits for it', async () => {
  const callback = await listen()
  const page = await openPage()
  const response = await page.goto(`${callback.redirectUri}?code=old&state=old`)
  expect(response?.status()).toBe(400)
  expect(await page.title()).toBe('This sign-in is not expected')
  expect(await page.evaluate('violations')).toEqual([])
})
