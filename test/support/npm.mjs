// @ts-check
import { win32 } from 'node:path'

/**
 * How npm is started: a program and its arguments. On Windows `npm` is a batch file, which Node starts
 * through a shell only (Node.js, "Spawning .bat and .cmd files on Windows"), and a shell would take
 * paths apart. There Node runs npm's own program, which comes beside it.
 *
 * @param {readonly string[]} words
 * @param {{ platform: NodeJS.Platform, execPath: string }} [where]
 * @returns {[program: string, args: string[]]}
 */
export function npm(words, { platform, execPath } = process) {
  if (platform !== 'win32') return ['npm', [...words]]
  const script = win32.join(win32.dirname(execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js')
  return [execPath, [script, ...words]]
}
