import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { homeFolder } from '../auth/home.ts'
import { launchChromium } from '../support/chromium.ts'
import { runBridge } from '../support/trace.ts'
import { until } from '../support/until.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium(['--no-sandbox', '--disable-gpu'])
})
afterAll(() => browser.close())

const HOSTILE = '</script><script>document.title="owned"</script><img src=x onerror=alert(1)>'

/** A trace with so many calls; the answer to every tenth is an error, and numbers are large. */
function traceOf(calls: number): string {
  let seq = 0
  const head = (type: string, t: number): string =>
    `{"seq":${seq++},"t":${t},"at":"2026-11-24T15:02:11.070Z","type":"${type}"`
  const lines = [
    `${head('start', 0)},"v":1,"version":"1.2.3","node":"v20.20.2","platform":"linux x64","pid":7,"server":"https://a.example/mcp","argv":[]}`,
    `${head('state', 1)},"part":"stream","what":"opened"}`,
  ]
  for (let id = 0; id < calls; id++) {
    const t = 10 + id * 20
    const method = id % 2 === 0 ? 'tools/call' : 'resources/read'
    const params = JSON.stringify({ name: id === 4 ? HOSTILE : `tool-${id}` })
    const asked = seq
    lines.push(
      `${head('frame', t)},"from":"host","kind":"request","id":"${id}","method":"${method}","size":99,"raw":{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}}`,
    )
    const failed = id % 10 === 9
    const outcome = failed
      ? '"error":{"code":-32602,"message":"no"}'
      : '"result":{"n":12345678901234567890,"f":1.0}'
    lines.push(
      `${head('frame', t + 8)},"from":"server","kind":"response","id":"${id}","method":"${method}","request":${asked},"ms":${id === 6 ? 1500 : 8},"status":200${failed ? ',"error":true' : ''},"size":77,"raw":{"jsonrpc":"2.0","id":${id},${outcome}}}`,
    )
  }
  return `${lines.join('\n')}\n`
}

/** The report of a trace in a browser that has no network, and notes what the policy stopped. */
async function openReport(calls: number, options: BrowserContextOptions = {}): Promise<Page> {
  const home = homeFolder()
  const [path, out] = [join(home, 'trace.jsonl'), join(home, 'report.html')]
  writeFileSync(path, traceOf(calls))
  expect(await runBridge(['trace', path, '--html', out], home)).toMatchObject({ code: 0 })
  const context = await browser.newContext({ offline: true, ...options })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', ({ message }) => complaints.push(message))
  page.on('console', (message) => complaints.push(message.text()))
  page.on('request', (request) => {
    if (!request.url().startsWith('file:') && !request.url().startsWith('blob:'))
      complaints.push(request.url())
  })
  await page.goto(pathToFileURL(out).href)
  await page.waitForSelector('body[data-ready]')
  expect(complaints).toEqual([])
  onTestFinished(() => expect(complaints).toEqual([]))
  return page
}

const rowsAre = (page: Page, fits: (count: number) => boolean): Promise<boolean> =>
  until('the rows', async () => fits(await page.locator('#list .row').count()))

const selectedRow = '#list [aria-selected="true"]'

test('the keyboard is enough: rows, search, tabs', async () => {
  const page = await openReport(20)
  expect(await page.title()).toBe('MCP trace · a.example')
  // Past the beginning, the state and one request: its answer.
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowDown')
  expect(await page.textContent('#detail h2')).toBe('Answer to tools/call #0')
  // Numbers are source, not values.
  expect(await page.textContent('#detail pre')).toContain(
    '"n": 12345678901234567890,\n    "f": 1.0',
  )
  expect(await page.getAttribute('#list .rows', 'aria-activedescendant')).toBe(
    await page.getAttribute(selectedRow, 'id'),
  )
  await page.keyboard.press('End')
  expect(await page.textContent('#detail h2')).toBe('Answer to resources/read #19')
  await page.keyboard.press('/')
  await page.keyboard.type('tool-5')
  await rowsAre(page, (count) => count === 1)
  await page.keyboard.press('Escape')
  await rowsAre(page, (count) => count > 10)
  await page.focus('#tab-list')
  await page.keyboard.press('ArrowRight')
  // Rows are drawn with the next frame of the browser.
  await page.waitForSelector('#waterfall .lanebar')
  await page.keyboard.press('ArrowRight')
  expect(await page.textContent('#latency tbody tr:first-child')).toBe(
    'tools/call108.0 ms1.5 s1.5 s',
  )
})

test('filters, links between records, and the lanes of the link', async () => {
  const page = await openReport(20)
  await page.check('#errors')
  expect(await page.locator('#list .row').count()).toBe(2)
  await page.click('#list .row')
  expect(await page.textContent('#detail h2')).toBe('Answer to resources/read #9')
  // The request is no error: what hides it is taken back.
  await page.click('#detail button:has-text("Request")')
  expect(await page.textContent('#detail h2')).toBe('resources/read #9')
  expect(await page.isChecked('#errors')).toBe(false)
  await page.selectOption('#slow', '1000')
  expect(await page.textContent('#count')).toBe('1 of 42')
  await page.click('#lanes .span')
  expect(await page.textContent('#detail h2')).toBe('stream opened')
})

test('what a server says is text, whatever it looks like', async () => {
  const page = await openReport(20)
  await page.fill('#search', 'owned')
  await rowsAre(page, (count) => count === 1)
  await page.click('#list .row')
  expect(await page.textContent('#detail pre')).toContain(JSON.stringify(HOSTILE))
  expect(await page.locator('img').count()).toBe(0)
  expect(await page.title()).toBe('MCP trace · a.example')
})

test('light and dark follow the system until somebody says otherwise', async () => {
  const page = await openReport(5, { colorScheme: 'dark' })
  const ground = (): Promise<string> =>
    page.evaluate('getComputedStyle(document.body).backgroundColor')
  const dark = await ground()
  await page.keyboard.press('t')
  const light = await ground()
  expect(light).not.toBe(dark)
  await page.emulateMedia({ colorScheme: 'light' })
  expect(await ground()).toBe(light)
})

test('50,000 messages: few rows in the document, and every one can be reached', async () => {
  const page = await openReport(25_000)
  await page.keyboard.press('End')
  expect(await page.textContent('#detail h2')).toBe('Answer to resources/read #24999')
  expect(await page.locator('#list .row').count()).toBeLessThan(100)
  // Wherever it is scrolled to, the next picture shows rows.
  const gaps = await page.evaluate<number[]>(`(async () => {
    const rows = document.querySelector('#list .rows')
    const { left, top, height } = rows.getBoundingClientRect()
    const gaps = []
    for (let i = 0; i < 30; i++) {
      rows.scrollTop = (rows.scrollHeight * i) / 30
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      const there = document.elementFromPoint(left + 100, top + height / 2)
      if (there?.closest('.row') === null) gaps.push(i)
    }
    return gaps
  })()`)
  expect(gaps).toEqual([])
})
