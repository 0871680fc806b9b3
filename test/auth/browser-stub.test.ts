import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { stubBrowser } from './browser-stub.ts'

/** How the bridge starts the browser of each system (src/auth/browser.ts, and the `open` package). */
const LAUNCHES = {
  linux: ['xdg-open'],
  darwin: ['open'],
  win32: ['C:\\Windows\\System32\\rundll32.exe', 'url.dll,FileProtocolHandler'],
} as const

/** The launchers of the others are shell scripts. */
const platforms = process.platform === 'win32' ? (['win32'] as const) : Object.keys(LAUNCHES)

test.each(platforms as (keyof typeof LAUNCHES)[])(
  'a browser of %s is not shown, and its address is written down',
  async (platform) => {
    const [command, ...args] = LAUNCHES[platform]
    const address = 'https://as.example/a?b=c&d=%22'
    const words = JSON.stringify([...args, address])
    const script = `require('node:child_process').spawn(${JSON.stringify(command)}, ${words}, { stdio: 'inherit' })`
    const { env, calls } = stubBrowser(platform)
    const run = (more: NodeJS.ProcessEnv): Promise<{ stdout: string; stderr: string }> =>
      promisify(execFile)(process.execPath, ['-e', script], { env: { ...env, ...more } })
    expect(await run({})).toEqual({ stdout: '', stderr: '' })
    expect(calls()).toEqual([[address]])
    // Where nobody asks what was opened, nothing is kept.
    expect(await run({ BROWSER_LOG: undefined })).toEqual({ stdout: '', stderr: '' })
    expect(calls()).toHaveLength(1)
  },
)
