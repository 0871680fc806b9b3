import { execFileSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import type { TestProject } from 'vitest/node'
import { packAndInstall } from '../support/packed.mjs'

declare module 'vitest' {
  export interface ProvidedContext {
    /** What is attacked, as a command of the shell with `{url}` for the server's address. */
    command: string
    /** npm's cache, for programs that npx starts. */
    npmCache: string
  }
}

/** Finds out what is attacked: the command that `ATTACK_BRIDGE` holds, or the packed bridge. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  const npmCache = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim()
  project.provide('npmCache', npmCache)
  const other = process.env['ATTACK_BRIDGE']
  if (other !== undefined) {
    project.provide('command', other)
    return undefined
  }
  const { folder, bin } = await packAndInstall()
  project.provide('command', `'${process.execPath}' '${bin}' {url}`)
  return () => rm(folder, { recursive: true })
}
