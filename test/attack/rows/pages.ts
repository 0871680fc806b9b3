import type { Browser, Page } from 'playwright-core'
import { afterAll, onTestFinished } from 'vitest'
import { initialize } from '../../support/bridge.ts'
import { launchChromium } from '../../support/chromium.ts'
import { startServer } from '../../support/http-server.ts'
import { startWorld } from '../../auth/world.ts'
import { type Attack, DoesNotApply, type Group } from '../attack.ts'
import { check, settle } from '../session.ts'
import { awaitPerson, page as pageOf, type Waiting } from '../sign-in.ts'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // What an attacker's name server does: first its own address, then that of this machine.
  '--host-resolver-rules=MAP evil.test 127.0.0.1',
]

/** A browser takes seconds to start: one for all rows. */
let shared: Promise<Browser> | undefined

function browser(): Promise<Browser> {
  shared ??= launchChromium(FLAGS)
  return shared
}

/** Ends the browser of these rows. */
export function closeBrowser(): void {
  afterAll(async () => {
    await (await shared)?.close()
  })
}

/** A page in a profile of its own. */
async function openPage(): Promise<Page> {
  const context = await (await browser()).newContext()
  onTestFinished(() => context.close())
  return context.newPage()
}

/** The genuine person signs in with that browser. */
async function genuineSucceeds({ program, link }: Waiting): Promise<void> {
  const page = await openPage()
  await page.goto(link)
  const ending = await program.ending(0)
  check(ending === 'result', `the genuine sign-in ended in an ${ending}`)
}

/** A script of a page of another origin; `{forged}` and `{denied}` are addresses of the callback. */
const VECTORS: readonly { name: string; attack: string; script: string }[] = [
  {
    name: 'page-fetch',
    attack: 'A page of another origin fetches the callback without CORS.',
    script: `await fetch('{forged}', { mode: 'no-cors' }).catch(() => {})`,
  },
  {
    name: 'page-fetch-to-read',
    attack: 'A page of another origin fetches the callback and reads the answer.',
    script: `return await fetch('{denied}').then((response) => response.text()).catch(() => '')`,
  },
  {
    name: 'page-fetch-with-preflight',
    attack: 'A page of another origin fetches the callback with a header of its own.',
    script: `return await fetch('{forged}', { headers: { 'x-a': 'b' } }).then((response) => response.text()).catch(() => '')`,
  },
  {
    name: 'page-post',
    attack: 'A page of another origin posts to the callback.',
    script: `await fetch('{forged}', { method: 'POST', mode: 'no-cors', body: 'code=forged' }).catch(() => {})`,
  },
  {
    name: 'page-beacon',
    attack: 'A page of another origin sends a beacon to the callback.',
    script: `navigator.sendBeacon('{denied}', 'x')`,
  },
  {
    name: 'page-image',
    attack: 'A page of another origin loads the callback as an image.',
    script: `await load('img', { src: '{forged}' })`,
  },
  {
    name: 'page-script',
    attack: 'A page of another origin loads the callback as a script.',
    script: `await load('script', { src: '{forged}' })`,
  },
  {
    name: 'page-frame',
    attack: 'A page of another origin shows the callback in a frame.',
    script: `await load('iframe', { src: '{forged}' })`,
  },
  {
    name: 'page-form',
    attack: 'A page of another origin submits a form to the callback.',
    script: `
      const frame = Object.assign(document.createElement('iframe'), { name: 'frame' })
      const form = Object.assign(document.createElement('form'), { method: 'post', action: '{forged}', target: 'frame' })
      document.body.append(frame, form)
      await new Promise((resolve) => { frame.onload = resolve; form.submit() })`,
  },
  {
    name: 'page-websocket',
    attack: 'A page of another origin opens a WebSocket at the callback.',
    script: `
      return await new Promise((resolve) => {
        const socket = new WebSocket('{forged}'.replace('http:', 'ws:'))
        socket.onopen = () => resolve('open')
        socket.onerror = () => resolve('')
      })`,
  },
  {
    name: 'page-window',
    attack: 'A page of another origin opens a window at the callback, with a forged refusal.',
    script: `
      const opened = window.open('{denied}')
      await new Promise((resolve) => setTimeout(resolve, 500))
      return opened === null ? '' : (() => { try { return opened.document.body.innerText } catch { return '' } })()`,
  },
]

const LOAD = `
  const load = (name, properties) => new Promise((resolve) => {
    const element = Object.assign(document.createElement(name), properties)
    element.onload = element.onerror = resolve
    document.body.append(element)
  })`

const vectors: readonly Attack[] = VECTORS.map(({ name, attack, script }) => ({
  name,
  attack,
  expectation:
    'The page learns nothing, no code is redeemed, and the genuine sign-in in the same browser succeeds.',
  async run(stage) {
    const waiting = await awaitPerson(stage)
    const { origin, pathname } = waiting.redirect
    const text = script
      .replaceAll('{forged}', `${origin}${pathname}?code=forged&state=forged`)
      .replaceAll('{denied}', `${origin}${pathname}?error=access_denied`)
    const hostile = await startServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><body>')
    })
    const page = await openPage()
    await page.goto(hostile.origin.replace('127.0.0.1', 'evil.test'))
    const work = `(async () => { ${LOAD}; ${text} })()`
    const learnt = await Promise.race([page.evaluate(work), settle(5_000)])
    check(learnt === undefined || learnt === '', `it learnt ${JSON.stringify(learnt)}`)
    await settle(100)
    check(waiting.world.authority.tokenCalls.length === 0, 'the forged code was redeemed')
    await genuineSucceeds(waiting)
  },
}))

const rebinding: Attack = {
  name: 'page-rebinding',
  attack:
    'The name of a page comes to mean this machine (DNS rebinding); the page even has the state.',
  expectation: 'It is refused, reads nothing but the refusal, and the genuine sign-in succeeds.',
  async run(stage) {
    // The page comes from the port of the callback: the program has used it before, and will again.
    const world = await startWorld()
    const first = stage.start(world.mcp.url)
    first.write(initialize(0))
    const { redirect } = await pageOf(first)
    await first.kill()
    await first.exit()
    const hostile = await startServer(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>')
      },
      { port: Number(redirect.port) },
    )
    const page = await openPage()
    await page.goto(`http://evil.test:${redirect.port}/`)
    await hostile.close()
    const program = stage.start(world.mcp.url, { home: first.home })
    program.write(initialize(0))
    const waiting: Waiting = { world, program, ...(await pageOf(program)) }
    if (waiting.redirect.port !== redirect.port) throw new DoesNotApply('its port changes')
    const forged = `${redirect.pathname}?code=forged&state=${waiting.state}`
    const status = await Promise.race([
      page.evaluate(`fetch('${forged}').then(({ status }) => status, () => 0)`),
      settle(5_000),
    ])
    await settle(100)
    check(world.authority.tokenCalls.length === 0, 'the forged code was redeemed')
    check(typeof status === 'number' && (status === 0 || status >= 400), `it got ${String(status)}`)
    await genuineSucceeds(waiting)
  },
}

const markup: Attack = {
  name: 'page-markup',
  attack: 'A refusal with the right state carries a script, for the page that the person sees.',
  expectation: 'A real browser executes nothing of it and loads nothing.',
  async run(stage) {
    const waiting = await awaitPerson(stage)
    const { origin, pathname } = waiting.redirect
    const text = encodeURIComponent('</p><script>pwned = 1</script><img src=x onerror="pwned = 1">')
    const page = await openPage()
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    const query = `error=${text}&error_description=${text}&state=${waiting.state}`
    await page.goto(`${origin}${pathname}?${query}`)
    await settle(200)
    check((await page.evaluate('globalThis.pwned')) === undefined, 'the script was executed')
    const loaded = requests.filter((url) => !url.startsWith('data:') && !url.includes('error='))
    check(loaded.length === 0, `it loaded ${loaded.join(', ')}`)
  },
}

/** Pages of the web, in a real browser on the machine where the program waits for one. */
export const pages: Group = {
  title: 'Pages in a browser',
  attacks: [...vectors, rebinding, markup],
}
