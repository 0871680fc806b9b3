import { lstatSync } from 'node:fs'
import { posix, win32 } from 'node:path'

/** Where policies are looked for; what the machine's says wins over what the user's says. */
export interface PolicyPlaces {
  readonly machine: string
  readonly user: string
}

/** The places on this system. The machine's is one that only an administrator can write to. */
export function policyPlaces(
  env: NodeJS.ProcessEnv,
  configFolder: string,
  platform: NodeJS.Platform,
): PolicyPlaces {
  const { join } = platform === 'win32' ? win32 : posix
  return { machine: machinePolicy(env, platform), user: join(configFolder, 'policy.json') }
}

function machinePolicy(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === 'darwin') return '/Library/Application Support/bridge/policy.json'
  if (platform !== 'win32') return '/etc/bridge/policy.json'
  return win32.join(env['ProgramData'] || 'C:\\ProgramData', 'bridge', 'policy.json')
}

/** Whether there is no policy at this place for certain; what cannot be looked at may be one. */
export function isAbsent(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) === undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR'
  }
}
