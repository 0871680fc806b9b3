import envPaths from 'env-paths'
import { join } from 'node:path'

/** Folders of the program's own files. */
export interface Paths {
  /** What can be found out again: losing it costs a request. */
  readonly cache: string
  /** What only a person can make again: sign-ins. */
  readonly data: string
  /** What the user has written. */
  readonly config: string
  /** Debug traces. */
  readonly log: string
}

/** The system's usual folders; `BRIDGE_HOME` puts everything in one place instead. */
export function pathsOf(env: NodeJS.ProcessEnv): Paths {
  const home = env['BRIDGE_HOME']
  if (home !== undefined && home !== '') {
    return {
      cache: join(home, 'cache'),
      data: join(home, 'data'),
      config: join(home, 'config'),
      log: join(home, 'log'),
    }
  }
  const { cache, data, config, log } = envPaths('bridge', { suffix: '' })
  return { cache, data, config, log }
}
