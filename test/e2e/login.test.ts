import { afterAll, beforeAll, expect, test } from 'vitest'
import { stubBrowser } from '../auth/browser-stub.ts'
import { homeFolder } from '../auth/home.ts'
import { printedLink } from '../auth/host.ts'
import { initialize, startBridge } from '../support/bridge.ts'
import { startLogin } from '../support/login.ts'
import { completeSignIn } from '../worker/dev/browser.mjs'
import { startWorker } from '../worker/dev/serve.mjs'

let worker: Awaited<ReturnType<typeof startWorker>>
let url: string
beforeAll(async () => {
  worker = await startWorker({ flavour: 'oauth' })
  url = `${worker.url}/mcp`
})
afterAll(() => worker.stop())

/** The paths of the requests to the Worker since `from`. */
function paths(from: number): unknown[] {
  return worker.logs
    .slice(from)
    .filter(({ event }) => event === 'request')
    .map(({ path }) => path)
}

test('signs in, and the next start of the relay needs no OAuth request', async () => {
  const home = homeFolder()
  const login = startLogin(url, { home })
  const page = await completeSignIn(await login.link())
  expect(page.status).toBe(200)
  expect(await login.exit()).toBe(0)
  expect(login.stderr()).toMatch(new RegExp(`^Signed in to ${new URL(url).host}\\.$`, 'm'))
  expect(login.stdout()).toBe('')

  const from = worker.logs.length
  const bridge = startBridge(url, { home })
  bridge.write(initialize(0))
  expect(await bridge.answer(0)).toHaveProperty('result')
  expect(new Set(paths(from))).toEqual(new Set(['/mcp']))
  expect(bridge.stderr()).toBe('')
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
})

test('the browser of this machine is opened, and --no-browser leaves it alone', async () => {
  const browser = stubBrowser()
  const login = startLogin(url, { env: browser.env })
  expect(await browser.opened()).toBe(await login.link())
  login.signal('SIGINT')
  expect(await login.exit()).toBe(130)

  const quiet = startLogin(url, { env: browser.env, args: ['--no-browser'] })
  await completeSignIn(await quiet.link())
  expect(await quiet.exit()).toBe(0)
  expect(browser.calls()).toHaveLength(1)
})

test('already signed in: says so, asks nobody, leaves no session behind', async () => {
  const home = homeFolder()
  const first = startLogin(url, { home })
  await completeSignIn(await first.link())
  expect(await first.exit()).toBe(0)

  const from = worker.logs.length
  const second = startLogin(url, { home })
  expect(await second.exit()).toBe(0)
  expect(second.stderr()).toMatch(/^Already signed in to \S+\. --force signs in again\.\n$/)
  expect(paths(from)).toEqual(['/mcp', '/mcp'])
})

test('--force signs in again; until that is done the old sign-in stays', async () => {
  const home = homeFolder()
  const first = startLogin(url, { home })
  await completeSignIn(await first.link())
  await first.exit()

  const stopped = startLogin(url, { home, args: ['--force'] })
  await stopped.link()
  stopped.signal('SIGINT')
  expect(await stopped.exit()).toBe(130)
  const check = startLogin(url, { home })
  await check.exit()
  expect(check.stderr()).toMatch(/^Already signed in/)

  const again = startLogin(url, { home, args: ['--force'] })
  await completeSignIn(await again.link(), { user: 'ben' })
  expect(await again.exit()).toBe(0)
  expect(again.stderr()).toMatch(/^Signed in to /m)
})

test('a sign-in that was denied: exit 5, and the browser and the terminal say why', async () => {
  const home = homeFolder()
  const login = startLogin(url, { home })
  const page = await completeSignIn(await login.link(), { consent: 'deny' })
  expect(page.status).not.toBe(500)
  expect(await login.exit()).toBe(5)
  expect(login.stderr()).toMatch(/^bridge: The sign-in was denied/m)
  const again = startLogin(url, { home })
  await completeSignIn(await again.link())
  expect(await again.exit()).toBe(0)
})

test('SIGINT stops it: exit 130, and the next one goes on with the same address', async () => {
  const home = homeFolder()
  const login = startLogin(url, { home })
  const link = await login.link()
  login.signal('SIGINT')
  expect(await login.exit()).toBe(130)
  expect(login.stderr()).toMatch(/^Stopped\./m)
  const next = startLogin(url, { home })
  expect(await next.link()).toBe(link)
  expect((await completeSignIn(link)).status).toBe(200)
  expect(await next.exit()).toBe(0)
})

test('nobody comes: exit 4', async () => {
  const login = startLogin(url, { args: ['--auth-timeout', '500ms'] })
  expect(await login.exit()).toBe(4)
  expect(login.stderr()).toMatch(/^bridge: Nobody signed in within/m)
})

test('a relay that waits for a person goes on when the sign-in is completed in a terminal', async () => {
  const home = homeFolder()
  const bridge = startBridge(url, { home })
  bridge.write(initialize(0))
  const printed = await printedLink(bridge)
  const login = startLogin(url, { home })
  const link = await login.link()
  expect(link).toBe(printed)
  await completeSignIn(link)
  expect(await login.exit()).toBe(0)
  expect(await bridge.answer(0)).toHaveProperty('result')
})
