import { SERVER_OPTIONS } from '../options.ts'
import type { Host } from './record.ts'

/** What this program looks at and a host may drop, as it is spelled: curl's names are lower case. */
const NEEDED: readonly string[] = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'NODE_USE_SYSTEM_CA',
  'SSL_CERT_FILE',
  'BRIDGE_HOME',
  'MCP_REMOTE_CONFIG_DIR',
]

/** The variables of our own options; those of headers are secrets that nobody has asked to copy. */
const OWN: readonly string[] = SERVER_OPTIONS.flatMap(({ variable }) =>
  variable === undefined || variable.includes('<') ? [] : [variable],
)

/** Where programs keep their files on Linux: sign-ins made in a terminal must be found. */
const FOLDERS: readonly string[] = ['XDG_DATA_HOME', 'XDG_CACHE_HOME']

/** What the browser needs to appear on Linux. */
const DISPLAYS: readonly string[] = ['DISPLAY', 'WAYLAND_DISPLAY', 'XDG_RUNTIME_DIR', 'BROWSER']

/**
 * The variables that are set here and that a server of this host would not get: hosts made with the
 * SDKs of MCP pass on six variables on Linux and macOS, twelve on Windows.
 */
export function lostVariables(
  { environment }: Pick<Host, 'environment'>,
  platform: NodeJS.Platform,
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  if (environment === 'inherited') return {}
  const names = [...NEEDED, ...OWN]
  if (platform === 'linux') {
    if ((env['BRIDGE_HOME'] ?? '') === '') names.push(...FOLDERS)
    // A display that came over SSH is gone with that login.
    const display = env['DISPLAY'] ?? env['WAYLAND_DISPLAY']
    if (display !== undefined && env['SSH_CONNECTION'] === undefined) names.push(...DISPLAYS)
  }
  const set = names.flatMap((name) => {
    const value = env[name]
    return value === undefined || value === '' ? [] : [[name, value] as const]
  })
  return Object.fromEntries(set)
}

/** Whether a proxy's address has a password in it. */
export function holdsPassword(value: string): boolean {
  return URL.canParse(value) && new URL(value).password !== ''
}
