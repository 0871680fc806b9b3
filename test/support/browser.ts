import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A folder for PATH: programs in the place of those that show an address on Linux and on macOS. */
export const LAUNCHERS = fileURLToPath(new URL('browser', import.meta.url))

/**
 * For the environment of a bridge: no browser is shown to anybody. What it would have been called with
 * is added to the file that `BROWSER_LOG` names.
 */
export function withoutBrowser(platform: NodeJS.Platform = process.platform): NodeJS.ProcessEnv {
  if (platform !== 'win32') return { PATH: `${LAUNCHERS}${delimiter}${process.env['PATH']}` }
  const preload = fileURLToPath(new URL('preload/browser.cjs', import.meta.url))
  // Between quotes a backslash stands for the next character (Node.js, NODE_OPTIONS).
  return { NODE_OPTIONS: `--require "${preload.replaceAll('\\', '/')}"` }
}

/**
 * The six variables that hosts pass on (MCP SDK, stdio client), and no more. macOS and Windows have a
 * screen without a variable that says so: a browser would show up there, and sign in by itself.
 */
export function hostEnvironment(): NodeJS.ProcessEnv {
  const { HOME, LOGNAME, PATH, SHELL, TERM, USER } = process.env
  const six = { HOME, LOGNAME, PATH, SHELL, TERM, USER }
  return process.platform === 'linux' ? six : { ...six, ...withoutBrowser() }
}
