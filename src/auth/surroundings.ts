import { isIP } from 'node:net'
import { printable } from '../log.ts'

/** Where the program runs, as far as it matters for opening a browser and for coming back from it. */
export interface Surroundings {
  /** Whether a browser that is started here appears before the person. */
  readonly display: boolean
  /** How the person reached this machine; `undefined` when not over SSH. */
  readonly ssh: SshLogin | undefined
  readonly wsl: boolean
  readonly container: boolean
}

/** What the person's own `ssh` command line needs, as far as it is known. */
interface SshLogin {
  readonly user: string | undefined
  readonly host: string | undefined
  readonly port: number | undefined
}

/** Reads a small text file; throws when there is none. */
export type ReadFile = (path: string) => string

/** Finds out where the program runs, from its environment and from marks that systems leave. */
export function describeSurroundings(
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
  readFile: ReadFile,
): Surroundings {
  const linux = platform === 'linux'
  const container = linux && isContainer(env, readFile)
  // Docker Desktop runs containers on the kernel of WSL: its name alone says nothing there.
  const wsl = linux && !container && isWsl(env, readFile)
  const ssh = sshLogin(env)
  return { display: hasDisplay(env, platform, wsl, ssh), ssh, wsl, container }
}

/**
 * What to tell a person who has to open the address by hand: the address on a line of its own and,
 * where the way back to this machine is not obvious, how to make it.
 */
export function signInInstructions(url: string, port: number, surroundings: Surroundings): string {
  const advice = ADVICE.find(({ fits }) => fits(surroundings))
  const lines = ['To sign in, open this address in a browser:', '', `  ${printable(url)}`]
  if (advice !== undefined) lines.push('', ...advice.lines(port, surroundings))
  return lines.join('\n')
}

interface Advice {
  readonly fits: (surroundings: Surroundings) => boolean
  readonly lines: (port: number, surroundings: Surroundings) => readonly string[]
}

const PASTE = [
  'Or do without: `bridge login <server_url> --paste` takes the address of the page that',
  'does not load after you have signed in.',
]

/** The first that fits is given. SSH comes first: its tunnel ends inside the container, too. */
const ADVICE: readonly Advice[] = [
  {
    fits: ({ ssh }) => ssh !== undefined,
    lines: (port, { ssh }) => [
      `You are connected over SSH, and the browser must reach port ${port} of this machine.`,
      'First run this on your own computer, and leave it open until you are signed in:',
      '',
      `  ${tunnelCommand(port, ssh)}`,
      '',
      ...PASTE,
    ],
  },
  {
    fits: ({ container }) => container,
    lines: (port) => [
      `This is a container, and the browser must reach 127.0.0.1:${port} inside it.`,
      `Dev containers: forward port ${port}. Kubernetes: \`kubectl port-forward <pod> ${port}\`.`,
      'Docker on Linux: start the container with `--network host`; publishing the port with `-p`',
      'does not reach a loopback address.',
      ...PASTE,
    ],
  },
  {
    fits: ({ wsl }) => wsl,
    lines: (port) => [
      `This is WSL, and the Windows browser must reach port ${port} inside it. If the page does not`,
      'load after you have signed in, pass `--callback-host localhost`, or put',
      '`networkingMode=mirrored` under `[wsl2]` in %UserProfile%\\.wslconfig and run `wsl --shutdown`.',
      ...PASTE,
    ],
  },
  {
    fits: ({ display }) => !display,
    lines: (port) => [
      `No display was found here. The answer comes to 127.0.0.1:${port} of this machine, so the`,
      'browser must run on it.',
      ...PASTE,
    ],
  },
]

function tunnelCommand(port: number, ssh: SshLogin | undefined): string {
  const other = ssh?.port === undefined || ssh.port === 22 ? '' : ` -p ${ssh.port}`
  const target = `${ssh?.user ?? 'user'}@${ssh?.host ?? 'host'}`
  return `ssh -L ${port}:127.0.0.1:${port}${other} ${target}`
}

function sshLogin(env: NodeJS.ProcessEnv): SshLogin | undefined {
  // "client address, client port, server address, server port" (sshd, ENVIRONMENT).
  const connection = env['SSH_CONNECTION']
  if ([connection, env['SSH_CLIENT'], env['SSH_TTY']].every(isEmpty)) return undefined
  const [, , host = '', port = ''] = connection?.split(' ') ?? []
  // The line is meant for a shell: nothing gets into it but what is plainly an address or a name.
  const user = [env['USER'], env['LOGNAME']].find((name) => /^\w[\w.-]*$/.test(name ?? ''))
  return {
    user,
    host: isIP(host) === 0 || host.includes('%') ? undefined : host,
    port: /^\d{1,5}$/.test(port) ? Number(port) : undefined,
  }
}

function hasDisplay(
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
  wsl: boolean,
  ssh: SshLogin | undefined,
): boolean {
  // The address of a display, which SSH can forward as well.
  const display = !isEmpty(env['DISPLAY']) || !isEmpty(env['WAYLAND_DISPLAY'])
  // Windows and macOS always have a screen, but over SSH nobody sits before it.
  const ownScreen = wsl || platform === 'darwin' || platform === 'win32'
  return display || (ownScreen && ssh === undefined)
}

function isContainer(env: NodeJS.ProcessEnv, readFile: ReadFile): boolean {
  return (
    // systemd-nspawn, LXC and podman; every pod of Kubernetes.
    !isEmpty(env['container']) ||
    !isEmpty(env['KUBERNETES_SERVICE_HOST']) ||
    read(readFile, '/.dockerenv') !== undefined ||
    read(readFile, '/run/.containerenv') !== undefined ||
    /docker|kubepods|containerd|lxc/.test(read(readFile, '/proc/1/cgroup') ?? '')
  )
}

function isWsl(env: NodeJS.ProcessEnv, readFile: ReadFile): boolean {
  // Hosts pass on few variables, so that the kernel's own name has to do where they are missing.
  return (
    !isEmpty(env['WSL_DISTRO_NAME']) || /microsoft/i.test(read(readFile, '/proc/version') ?? '')
  )
}

function read(readFile: ReadFile, path: string): string | undefined {
  try {
    return readFile(path)
  } catch {
    return undefined
  }
}

function isEmpty(value: string | undefined): boolean {
  return value === undefined || value === ''
}
