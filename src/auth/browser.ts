import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { win32 } from 'node:path'
import { isLoopback } from '../options.ts'
import type { Surroundings } from './surroundings.ts'

/** What opening a browser needs of the machine. */
export interface BrowserWorld {
  readonly platform: NodeJS.Platform
  readonly env: NodeJS.ProcessEnv
  readonly surroundings: Pick<Surroundings, 'display' | 'wsl'>
  readonly spawn: (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess
}

interface Launcher {
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
 * never a command interpreter, which is why the `open` package is not used: on Windows and WSL it
 * writes the address into the text of a PowerShell command (quoted, but the escaping is all that
 * stands between a server and the shell, CVE-2025-6514), and elsewhere it is the one line below
 * without a look at the launcher's exit code.
 */
export async function openBrowser(
  url: URL,
  world: BrowserWorld,
): Promise<'opened' | 'unavailable'> {
  if (!isOpenable(url) || !world.surroundings.display) return 'unavailable'
  for (const launcher of launchersOf(world)) {
    if (await launches(launcher, url.href, world)) return 'opened'
  }
  return 'unavailable'
}

/** The ways to open an address on this system, best first. */
function launchersOf({ platform, env, surroundings }: BrowserWorld): readonly Launcher[] {
  switch (platform) {
    case 'win32':
      return [windowsLauncher(win32.join(env['SystemRoot'] ?? 'C:\\Windows', 'System32'), '\\')]
    case 'darwin':
      return [unixLauncher('/usr/bin/open')]
    default: {
      const xdgOpen = unixLauncher('xdg-open')
      if (!surroundings.wsl) return [xdgOpen]
      // The browser that people use is the one of Windows. Where its programs cannot be started
      // from inside, there may be one on WSL's own display.
      return [windowsLauncher('/mnt/c/Windows/System32', '/'), xdgOpen]
    }
  }
}

function unixLauncher(command: string): Launcher {
  // A group of its own: hosts end ours with a signal to the group, and the browser shall stay.
  return { command, args: [], maxUrlChars: Infinity, options: { detached: true } }
}

/**
 * Measured by others on Windows 11: `explorer` opens a folder when the address has a query, `start`
 * needs cmd.exe, which cuts at `&`. The full path because Windows looks into the working folder
 * first; there as well because WSL hands that folder on, and Windows may not be able to enter it.
 */
function windowsLauncher(folder: string, separator: string): Launcher {
  return {
    command: `${folder}${separator}rundll32.exe`,
    args: ['url.dll,FileProtocolHandler'],
    maxUrlChars: MAX_WINDOWS_URL_CHARS,
    options: { cwd: folder, windowsHide: true },
  }
}

function launches(launcher: Launcher, href: string, world: BrowserWorld): Promise<boolean> {
  if (href.length > launcher.maxUrlChars) return Promise.resolve(false)
  return new Promise((resolve) => {
    let child: ChildProcess
    try {
      child = world.spawn(launcher.command, [...launcher.args, href], {
        ...launcher.options,
        env: world.env,
        shell: false,
        // Our stdout belongs to the protocol.
        stdio: 'ignore',
      })
    } catch {
      resolve(false)
      return
    }
    const timer = setTimeout(resolve, LAUNCHED_AFTER_MS, true)
    const settle = (opened: boolean): void => {
      clearTimeout(timer)
      resolve(opened)
    }
    child.once('error', () => settle(false))
    child.once('exit', (code) => settle(code === 0))
    child.unref()
  })
}
