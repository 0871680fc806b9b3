import envPaths from 'env-paths'
import { join } from 'node:path'

/** Folders of the program's own files. */
export interface Paths {
  /** What can be found out again: losing it costs a request. */
  readonly cache: string
}

/** The system's usual folders; `BRIDGE_HOME` puts everything in one place instead. */
export function pathsOf(env: NodeJS.ProcessEnv): Paths {
  const home = env['BRIDGE_HOME']
  if (home !== undefined && home !== '') return { cache: join(home, 'cache') }
  return { cache: envPaths('bridge', { suffix: '' }).cache }
}
