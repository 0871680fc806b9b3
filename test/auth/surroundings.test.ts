import { expect, test } from 'vitest'
import { describeSurroundings, signInInstructions } from '../../src/auth/surroundings.ts'

const WSL_KERNEL = 'Linux version 6.6.87.2-microsoft-standard-WSL2 (gcc 11.2.0) #1 SMP\n'

/** A machine: its environment, its system, and the files that stand on it. */
function at(
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = 'linux',
  files: Readonly<Record<string, string>> = {},
): ReturnType<typeof describeSurroundings> {
  return describeSurroundings(env, platform, (path) => {
    const text = files[path]
    if (text === undefined) throw new Error(`ENOENT: ${path}`)
    return text
  })
}

const SSH = { SSH_CONNECTION: '198.51.100.4 50022 192.0.2.7 22', USER: 'ada' }

test.each([
  ['Linux without any', {}, 'linux', false],
  ['Linux with empty variables', { DISPLAY: '', WAYLAND_DISPLAY: '' }, 'linux', false],
  ['Linux with X11', { DISPLAY: ':0' }, 'linux', true],
  ['Linux with Wayland', { WAYLAND_DISPLAY: 'wayland-0' }, 'linux', true],
  ['FreeBSD without any', {}, 'freebsd', false],
  ['macOS', {}, 'darwin', true],
  ['Windows', {}, 'win32', true],
  ['macOS over SSH', SSH, 'darwin', false],
  ['Windows over SSH', SSH, 'win32', false],
  ['Linux over SSH', SSH, 'linux', false],
  ['Linux over SSH with a forwarded display', { ...SSH, DISPLAY: 'localhost:10.0' }, 'linux', true],
  ['WSL', { WSL_DISTRO_NAME: 'Ubuntu' }, 'linux', true],
] as const)('display: %s', (_where, env, platform, display) => {
  expect(at(env, platform).display).toBe(display)
})

test.each([
  [{}, undefined],
  [{ SSH_CONNECTION: '' }, undefined],
  [SSH, { user: 'ada', host: '192.0.2.7', port: 22 }],
  [
    { SSH_CONNECTION: '2001:db8::1 50022 2001:db8::7 2222', LOGNAME: 'ada.l-x' },
    { user: 'ada.l-x', host: '2001:db8::7', port: 2222 },
  ],
  [{ SSH_TTY: '/dev/pts/3' }, { user: undefined, host: undefined, port: undefined }],
  [
    { SSH_CLIENT: '198.51.100.4 50022 22', USER: 'ada' },
    { user: 'ada', host: undefined, port: undefined },
  ],
  // A zone is a name of this machine, which says nothing on the other one.
  [
    { SSH_CONNECTION: 'fe80::2%eth0 50022 fe80::1%eth0 22', USER: 'ada' },
    { user: 'ada', host: undefined, port: 22 },
  ],
  // The line is going to be pasted into a shell.
  [
    { SSH_CONNECTION: 'a b $(calc) ;calc', USER: '$(calc)' },
    { user: undefined, host: undefined, port: undefined },
  ],
  [
    { SSH_CONNECTION: '1 2 fe80::1%$(calc) 22', USER: '-oProxyCommand=calc' },
    { user: undefined, host: undefined, port: 22 },
  ],
])('ssh: %j', (env, ssh) => {
  expect(at(env).ssh).toEqual(ssh)
})

test.each([
  ['nothing', {}, {}, { wsl: false, container: false }],
  ['WSL by its variable', { WSL_DISTRO_NAME: 'Debian' }, {}, { wsl: true, container: false }],
  ['WSL by its kernel', {}, { '/proc/version': WSL_KERNEL }, { wsl: true, container: false }],
  ['another kernel', {}, { '/proc/version': 'Linux 6.12' }, { wsl: false, container: false }],
  ['Docker', {}, { '/.dockerenv': '' }, { wsl: false, container: true }],
  ['Podman', {}, { '/run/.containerenv': '' }, { wsl: false, container: true }],
  ['nspawn', { container: 'systemd-nspawn' }, {}, { wsl: false, container: true }],
  ['Kubernetes', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, {}, { wsl: false, container: true }],
  ['cgroups', {}, { '/proc/1/cgroup': '12:pids:/docker/4f2a\n' }, { wsl: false, container: true }],
  ['cgroups of a host', {}, { '/proc/1/cgroup': '0::/init.scope\n' }, { container: false }],
  [
    'Docker on the kernel of WSL',
    {},
    { '/.dockerenv': '', '/proc/version': WSL_KERNEL },
    { wsl: false, container: true },
  ],
])('marks: %s', (_what, env, files, expected) => {
  expect(at(env, 'linux', files)).toMatchObject(expected)
})

test('marks of Linux mean nothing elsewhere', () => {
  const files = { '/.dockerenv': '', '/proc/version': WSL_KERNEL }
  expect(at({ WSL_DISTRO_NAME: 'Ubuntu' }, 'win32', files)).toMatchObject({
    wsl: false,
    container: false,
  })
})

const URL_TO_OPEN = 'https://as.example/authorize?client_id=x&state=y'

test('before a display there is nothing to say but the address', () => {
  expect(signInInstructions(URL_TO_OPEN, 8123, at({}, 'darwin'))).toBe(
    `To sign in, open this address in a browser:\n\n  ${URL_TO_OPEN}`,
  )
})

test.each([
  [SSH, 'ssh -L 8123:127.0.0.1:8123 ada@192.0.2.7'],
  [
    { SSH_CONNECTION: '198.51.100.4 1 192.0.2.7 2222', USER: 'ada' },
    'ssh -L 8123:127.0.0.1:8123 -p 2222 ada@192.0.2.7',
  ],
  [
    { SSH_CONNECTION: '2001:db8::1 1 2001:db8::7 22', USER: 'ada' },
    'ssh -L 8123:127.0.0.1:8123 ada@2001:db8::7',
  ],
  [{ SSH_TTY: '/dev/pts/3' }, 'ssh -L 8123:127.0.0.1:8123 user@host'],
])('over SSH the tunnel stands on a line of its own: %j', (env, command) => {
  const lines = signInInstructions(URL_TO_OPEN, 8123, at(env)).split('\n')
  expect(lines).toContain(`  ${URL_TO_OPEN}`)
  expect(lines).toContain(`  ${command}`)
  expect(lines.join('\n')).toContain('--paste')
})

test.each([
  ['a container', at({}, 'linux', { '/.dockerenv': '' }), /forward port 8123[^]*--network host/],
  ['WSL', at({ WSL_DISTRO_NAME: 'Ubuntu' }), /--callback-host localhost[^]*mirrored/],
  ['no display', at({}), /No display was found[^]*127\.0\.0\.1:8123/],
  ['SSH into a container', at(SSH, 'linux', { '/.dockerenv': '' }), /ssh -L 8123:/],
])('the way back from %s', (_where, surroundings, advice) => {
  const text = signInInstructions(URL_TO_OPEN, 8123, surroundings)
  expect(text).toMatch(advice)
  expect(text).toContain('--paste')
})

test('no line is longer than a terminal, except the address', () => {
  const places = [
    at(SSH),
    at({}, 'linux', { '/.dockerenv': '' }),
    at({ WSL_DISTRO_NAME: 'x' }),
    at({}),
  ]
  for (const place of places) {
    const lines = signInInstructions(URL_TO_OPEN, 65_535, place).split('\n')
    expect(lines.filter((line) => line.length > 100)).toEqual([])
  }
})

test('A-105: an address cannot speak to the terminal', () => {
  const text = signInInstructions('https://as.example/\u001b]0;x\u0007\r\nfoo', 1, at({}, 'darwin'))
  expect(text).toContain('  https://as.example/ ]0;x foo')
})
