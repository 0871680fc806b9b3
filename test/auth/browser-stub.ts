import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { withoutBrowser } from '../support/browser.ts'
import { removeHome } from '../support/last-signal.ts'
import { until } from '../support/until.ts'

/** A browser that only writes down what it was called with. */
export interface BrowserStub {
  /** For the environment of the bridge. */
  readonly env: NodeJS.ProcessEnv
  /** The arguments of every call so far. */
  calls(): string[][]
  /** The address of the first call, waited for. */
  opened(): Promise<string>
}

/** Puts the stub in the place of the system's launcher, and a display before it. */
export function stubBrowser(platform?: NodeJS.Platform): BrowserStub {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-browser-'))
  const log = join(folder, 'calls')
  writeFileSync(log, '')
  onTestFinished(() => removeHome(folder))
  const calls = (): string[][] =>
    readFileSync(log, 'utf8')
      .split('\u001e')
      .slice(0, -1)
      .map((call) => call.split('\u001f').slice(0, -1))
  return {
    env: { ...withoutBrowser(platform), BROWSER_LOG: log, DISPLAY: ':99' },
    calls,
    opened: () => until('a tab', () => calls()[0]?.at(-1)),
  }
}

/** The last page that an address leads to. */
export interface Visited {
  readonly status: number
  readonly url: string
  readonly text: string
}

/** Follows redirects as a browser does, with cookies of its own, and returns the last page. */
export function visit(address: string): Promise<Visited> {
  return openBrowser().visit(address)
}

/** A browser that keeps its cookies from one page to the next. */
export function openBrowser(): {
  visit(address: string, form?: URLSearchParams): Promise<Visited>
} {
  const cookies = new Map<string, string>()
  return {
    async visit(address, form) {
      let url = address
      let body = form
      for (let hops = 0; hops < 20; hops++) {
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
        const method = body === undefined ? 'GET' : 'POST'
        const headers = { cookie }
        const response = await fetch(url, {
          redirect: 'manual',
          headers,
          method,
          body: body ?? null,
        })
        for (const line of response.headers.getSetCookie()) {
          const [pair = ''] = line.split(';', 1)
          const at = pair.indexOf('=')
          cookies.set(pair.slice(0, at), pair.slice(at + 1))
        }
        const location = response.headers.get('location')
        if (response.status < 300 || response.status > 399 || location === null) {
          return { status: response.status, url, text: await response.text() }
        }
        await response.body?.cancel()
        url = new URL(location, url).href
        body = undefined
      }
      throw new Error(`too many redirects from ${address}`)
    },
  }
}
