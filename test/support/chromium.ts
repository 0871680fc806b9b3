import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** Starts Debian's Chromium or the one that `CHROMIUM` names; on other systems, Google Chrome. */
export function launchChromium(args: string[]): Promise<Browser> {
  const candidates = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/google-chrome']
  const executablePath = candidates.find((path) => path !== undefined && existsSync(path))
  if (executablePath !== undefined) return chromium.launch({ executablePath, args })
  // Playwright knows where its installer puts it.
  if (process.platform !== 'linux') return chromium.launch({ channel: 'chrome', args })
  throw new Error('This test needs Chromium: install it, or set CHROMIUM to its path.')
}
