import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { win32 } from 'node:path'
import { isLoopback } from '../hostnames.ts'
import type { Surroundings } from './surroundings.ts'

/** What opening a browser needs of the machine. */
export interface BrowserWorld {
  readonly platform: NodeJS.Platform
  readonly env: NodeJS.ProcessEnv
  readonly surroundings: Pick<Surroundings, 'display' | 'wsl'>
  readonly spawn: (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess
  /** The `open` package, which knows the launchers of macOS, Linux and the BSDs. */
  readonly open: (target: string) => Promise<ChildProcess>
}

/** Starts a launcher with an address; `undefined` when it cannot take the address. */
type Launcher = (href: string) => Promise<ChildProcess | undefined>

interface Program {
  readonly command: string
  /** What comes before the address, which is always the last argument. */
  readonly args: readonly string[]
  readonly maxUrlChars: number
  readonly options: SpawnOptions
}

/**
 * A launcher that cannot open anything says so within a second; one that still runs is showing the
 * browser, which `xdg-open` and `BROWSER` scripts may do until the window is closed.
 */
const LAUNCHED_AFTER_MS = 3_000

/**
 * Windows cuts longer addresses off (2,083 with the final zero; electron/electron#9987,
 * gravitational/teleport#2150): half an address would be worse than none.
 */
const MAX_WINDOWS_URL_CHARS = 2_080

/** Whether an address may be handed to a browser: https, or http to this machine, and plain ASCII. */
export function isOpenable({ href, protocol, hostname }: URL): boolean {
  const encrypted = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
  // A serialised URL has no blank, quote or control character left. That is what makes it one
  // argument on Windows too, where a program gets one line and splits it itself.
  return encrypted && /^[!#-~]+$/.test(href)
}

/**
 * Shows the address in the person's browser. The address reaches one program as one argument and
 * never a command interpreter. That is why the `open` package is not used on Windows and WSL: there
 * it writes the address into the text of a PowerShell command (quoted, but the escaping is all that
 * stands between a server and the shell, CVE-2025-6514).
 */
export async function openBrowser(
  url: URL,
  world: BrowserWorld,
): Promise<'opened' | 'unavailable'> {
  if (!isOpenable(url) || !world.surroundings.display) return 'unavailable'
  for (const launcher of launchersOf(world)) {
    if (await launches(launcher, url.href)) return 'opened'
  }
  return 'unavailable'
}

/** The ways to open an address on this system, best first. */
function launchersOf(world: BrowserWorld): readonly Launcher[] {
  const { platform, env, surroundings, open } = world
  if (platform === 'win32') {
    const folder = win32.join(env['SystemRoot'] ?? 'C:\\Windows', 'System32')
    return [starts(windowsProgram(folder, '\\'), world)]
  }
  if (!surroundings.wsl) return [open]
  // The browser that people use is the one of Windows. Where its programs cannot be started from
  // inside, there may be one on WSL's own display.
  return [starts(windowsProgram('/mnt/c/Windows/System32', '/'), world), starts(XDG_OPEN, world)]
}

const XDG_OPEN: Program = {
  command: 'xdg-open',
  args: [],
  maxUrlChars: Infinity,
  // A group of its own: hosts end ours with a signal to the group, and the browser shall stay.
  options: { detached: true },
}

/**
 * Measured by others on Windows 11: `explorer` opens a folder when the address has a query, `start`
 * needs cmd.exe, which cuts at `&`. The full path because Windows looks into the working folder
 * first; there as well because WSL hands that folder on, and Windows may not be able to enter it.
 */
function windowsProgram(folder: string, separator: string): Program {
  return {
    command: `${folder}${separator}rundll32.exe`,
    args: ['url.dll,FileProtocolHandler'],
    maxUrlChars: MAX_WINDOWS_URL_CHARS,
    options: { cwd: folder, windowsHide: true },
  }
}

function starts({ command, args, maxUrlChars, options }: Program, world: BrowserWorld): Launcher {
  return async (href) => {
    if (href.length > maxUrlChars) return undefined
    return world.spawn(command, [...args, href], {
      ...options,
      env: world.env,
      shell: false,
      // Our stdout belongs to the protocol.
      stdio: 'ignore',
    })
  }
}

async function launches(launcher: Launcher, href: string): Promise<boolean> {
  const child = await launcher(href).catch(() => undefined)
  if (child === undefined) return false
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LAUNCHED_AFTER_MS, true)
    const settle = (opened: boolean): void => {
      clearTimeout(timer)
      resolve(opened)
    }
    child.once('error', () => settle(false))
    child.once('exit', (code) => settle(code === 0))
    child.unref()
    if (child.exitCode !== null || child.signalCode !== null) settle(child.exitCode === 0)
  })
}
