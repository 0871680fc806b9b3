import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type BrowserWorld, isOpenable, openBrowser } from '../../src/auth/browser.ts'

const AUTHORIZE = 'https://as.example/authorize?client_id=a&state=b'

/** A Linux desktop whose only launcher writes its arguments down. */
interface Desktop {
  readonly world: BrowserWorld
  /** The arguments of every start, in order. */
  starts(): readonly (readonly string[])[]
}

function desktop({ script = '', display = true } = {}): Desktop {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-browser-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const record = join(folder, 'record')
  const launcher = join(folder, 'xdg-open')
  // One record per start, ended by a byte that no argument can hold twice in a row.
  writeFileSync(
    launcher,
    `#!/bin/sh\n{ printf '%s\\0' "$@"; printf '\\0'; } >> '${record}'\n${script}\n`,
  )
  chmodSync(launcher, 0o755)
  const env = { PATH: `${folder}:/usr/bin:/bin`, COMSPEC: 'expanded', HOME: '/expanded' }
  // What the bundled `open` does on Linux; test/e2e/auth-browser.test.ts runs the real one.
  const open = async (target: string): Promise<ChildProcess> =>
    spawn('xdg-open', [target], { env, stdio: 'ignore', detached: true })
  return {
    world: { platform: 'linux', env, surroundings: { display, wsl: false }, spawn, open },
    starts: () =>
      existsSync(record)
        ? readFileSync(record, 'utf8')
            .split('\0\0')
            .slice(0, -1)
            .map((start) => start.split('\0'))
        : [],
  }
}

test('the address is the one argument of the launcher', async () => {
  const { world, starts } = desktop()
  expect(await openBrowser(new URL(AUTHORIZE), world)).toBe('opened')
  expect(starts()).toEqual([[AUTHORIZE]])
})

test.each([
  ['https://as.example/$(calc)', 'https://as.example/$(calc)'],
  ['https://as.example/`calc`', 'https://as.example/%60calc%60'],
  ['https://as.example/%COMSPEC%', 'https://as.example/%COMSPEC%'],
  ['https://as.example/?a=$HOME&b=~', 'https://as.example/?a=$HOME&b=~'],
  ['https://as.example/"&calc', 'https://as.example/%22&calc'],
  ["https://as.example/';calc;'", "https://as.example/';calc;'"],
  ['https://as.example/?"&calc|calc', 'https://as.example/?%22&calc|calc'],
  ['https://as.example/a b', 'https://as.example/a%20b'],
  ['https://as.example/a\n\rcalc\t', 'https://as.example/acalc'],
  ['https://as.example/?x=\n--version', 'https://as.example/?x=--version'],
  ['https://as.example/\u0000\u001b[2J', 'https://as.example/%00%1B[2J'],
  ['https://as.example/?\u2019;calc', 'https://as.example/?%E2%80%99;calc'],
  ['HTTPS://AS.EXAMPLE/\\x', 'https://as.example//x'],
  ['http://127.0.0.1:9/a', 'http://127.0.0.1:9/a'],
  ['http://[::1]:9/a', 'http://[::1]:9/a'],
  ['http://localhost:9/a', 'http://localhost:9/a'],
  ['http://0x7f.1/a', 'http://127.0.0.1/a'],
])('%j arrives as %j', async (hostile, expected) => {
  const { world, starts } = desktop()
  expect(await openBrowser(new URL(hostile), world)).toBe('opened')
  expect(starts()).toEqual([[expected]])
})

const REFUSED = [
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:calc',
  'ms-settings:privacy',
  'search-ms:query=x&crumb=location:\\\\evil.example\\share',
  'view-source:https://as.example/',
  'blob:https://as.example/1',
  'ftp://as.example/',
  'ws://127.0.0.1/',
  'about:blank',
  'http://evil.example/authorize',
  'http://127.0.0.1@evil.example/',
  'http://127.0.0.1.evil.example/',
  'http://localhost.evil.example/',
  'http://10.0.0.5/authorize',
  'http://[::ffff:127.0.0.1]/',
]

test.each(REFUSED)('A-58: %s reaches no launcher', async (hostile) => {
  const { world, starts } = desktop()
  expect(isOpenable(new URL(hostile))).toBe(false)
  expect(await openBrowser(new URL(hostile), world)).toBe('unavailable')
  expect(starts()).toEqual([])
})

test('an address that no URL parser wrote is not passed on', async () => {
  const { world, starts } = desktop()
  for (const href of [
    'https://as.example/a b',
    'https://as.example/"',
    'https://as.example/\n-x',
  ]) {
    const forged = { href, protocol: 'https:', hostname: 'as.example' } as URL
    expect(await openBrowser(forged, world)).toBe('unavailable')
  }
  expect(starts()).toEqual([])
})

test('without a display nothing is started', async () => {
  const { world, starts } = desktop({ display: false })
  expect(await openBrowser(new URL(AUTHORIZE), world)).toBe('unavailable')
  expect(starts()).toEqual([])
})

test('a launcher that fails has opened nothing', async () => {
  const { world, starts } = desktop({ script: 'exit 3' })
  expect(await openBrowser(new URL(AUTHORIZE), world)).toBe('unavailable')
  expect(starts()).toHaveLength(1)
})

test('a launcher that ends by a signal has opened nothing', async () => {
  const { world } = desktop({ script: 'kill -9 $$' })
  expect(await openBrowser(new URL(AUTHORIZE), world)).toBe('unavailable')
})

test('a missing launcher is no exception', async () => {
  const { world } = desktop()
  const open = async (target: string): Promise<ChildProcess> => spawn('/nowhere/xdg-open', [target])
  expect(await openBrowser(new URL(AUTHORIZE), { ...world, open })).toBe('unavailable')
})

test('a launcher that stays is showing the browser, and is not waited for', async () => {
  const { world, starts } = desktop({ script: 'echo $$ > "$0.pid"; exec sleep 60' })
  expect(await openBrowser(new URL(AUTHORIZE), world)).toBe('opened')
  expect(starts()).toHaveLength(1)
  const [folder = ''] = world.env['PATH']?.split(':') ?? []
  process.kill(Number(readFileSync(join(folder, 'xdg-open.pid'), 'utf8')))
})

interface Start {
  readonly command: string
  readonly args: readonly string[]
  readonly options: SpawnOptions
}

/** A system that is not ours: every start is written down and ends with a code of the test. */
function foreign(
  platform: NodeJS.Platform,
  {
    wsl = false,
    env = {},
    codes = [0],
  }: { wsl?: boolean; env?: NodeJS.ProcessEnv; codes?: number[] } = {},
): { world: BrowserWorld; starts: Start[]; opened: string[] } {
  const starts: Start[] = []
  const opened: string[] = []
  const run = (): ChildProcess =>
    spawn(process.execPath, [
      '-e',
      `process.exit(${codes[starts.length + opened.length - 1] ?? 0})`,
    ])
  const world: BrowserWorld = {
    platform,
    env,
    surroundings: { display: true, wsl },
    spawn(command, args, options): ChildProcess {
      starts.push({ command, args, options })
      return run()
    },
    open(target) {
      opened.push(target)
      return Promise.resolve(run())
    },
  }
  return { world, starts, opened }
}

const HANDLER = 'url.dll,FileProtocolHandler'

test.each([
  ['win32', {}, 'C:\\Windows\\System32\\rundll32.exe', [HANDLER, AUTHORIZE]],
  ['win32', { SystemRoot: 'D:\\Win' }, 'D:\\Win\\System32\\rundll32.exe', [HANDLER, AUTHORIZE]],
] as const)('%s %j: %s', async (platform, env, command, args) => {
  const { world, starts } = foreign(platform, { env })
  expect(await openBrowser(new URL(AUTHORIZE), world)).toBe('opened')
  expect(starts).toMatchObject([{ command, args, options: { shell: false, stdio: 'ignore' } }])
})

test.each(['darwin', 'linux', 'freebsd'] as const)(
  '%s: the package that knows the launchers',
  async (platform) => {
    const { world, starts, opened } = foreign(platform)
    expect(await openBrowser(new URL(AUTHORIZE), world)).toBe('opened')
    expect(opened).toEqual([AUTHORIZE])
    expect(starts).toEqual([])
  },
)

test('WSL opens the browser of Windows, from a folder that Windows can enter', async () => {
  const { world, starts } = foreign('linux', { wsl: true })
  expect(await openBrowser(new URL(AUTHORIZE), world)).toBe('opened')
  expect(starts).toMatchObject([
    {
      command: '/mnt/c/Windows/System32/rundll32.exe',
      args: [HANDLER, AUTHORIZE],
      options: { shell: false, cwd: '/mnt/c/Windows/System32' },
    },
  ])
})

test('WSL without programs of Windows falls back to its own display', async () => {
  const { world, starts } = foreign('linux', { wsl: true, codes: [1, 0] })
  expect(await openBrowser(new URL(AUTHORIZE), world)).toBe('opened')
  expect(starts.map(({ command }) => command)).toEqual([
    '/mnt/c/Windows/System32/rundll32.exe',
    'xdg-open',
  ])
})

test('Windows is not given more than it opens whole', async () => {
  const longest = `https://as.example/${'x'.repeat(2_080 - 19)}`
  const fits = foreign('win32')
  expect(await openBrowser(new URL(longest), fits.world)).toBe('opened')
  const { world, starts } = foreign('win32')
  expect(await openBrowser(new URL(`${longest}x`), world)).toBe('unavailable')
  expect(starts).toEqual([])
})

test('an address as long as a disk is no exception', async () => {
  const { world, starts } = desktop()
  const url = new URL(`https://as.example/${'x'.repeat(5_000_000)}`)
  expect(await openBrowser(url, world)).toBe('unavailable')
  expect(starts()).toEqual([])
})

test.each([
  [0, 'opened'],
  [3, 'unavailable'],
])('a launcher that has ended with %i before anybody listens: %s', async (code, outcome) => {
  const { world } = desktop()
  const open = async (): Promise<ChildProcess> => {
    const child = spawn(process.execPath, ['-e', `process.exit(${code})`], { stdio: 'ignore' })
    await once(child, 'exit')
    return child
  }
  expect(await openBrowser(new URL(AUTHORIZE), { ...world, open })).toBe(outcome)
})

test('a launcher that cannot even be tried is no exception', async () => {
  const { world } = foreign('win32')
  const broken: BrowserWorld = {
    ...world,
    spawn() {
      throw new Error('E2BIG')
    },
  }
  expect(await openBrowser(new URL(AUTHORIZE), broken)).toBe('unavailable')
})
