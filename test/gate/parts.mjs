// @ts-check
/** What `npm test` consists of, and what of it not every system can run. */

/**
 * A part is a script of package.json. Lanes run side by side, the parts of a lane one after the other.
 * The first lane keeps two cores busy most of the time; the others wait for clocks, processes and
 * downloads. Longest first where there is a choice.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const LANES = {
  check: ['format:check', 'lint', 'types', 'knip', 'unit', 'pack-test', 'e2e'],
  proof: ['worker-test', 'attack', 'bench-smoke'],
  soak: ['soak', 'conformance'],
}

/**
 * Parts and test files that are about what not every system has.
 *
 * @typedef {object} Row
 * @property {string} why as the end of a sentence that begins with them
 * @property {readonly NodeJS.Platform[]} on where they can run
 * @property {readonly string[]} [parts]
 * @property {readonly string[]} [files]
 */

/** @type {readonly NodeJS.Platform[]} */
const LINUX = ['linux']

/** @type {readonly NodeJS.Platform[]} */
const POSIX = ['linux', 'darwin']

/** @type {readonly Row[]} */
export const ROWS = [
  {
    why: 'they read from /proc what processes are and use',
    on: LINUX,
    parts: ['attack', 'soak'],
    files: [
      'test/doctor/codes.test.ts',
      'test/e2e/auth-use.test.ts',
      'test/e2e/memory.test.ts',
      'test/e2e/overload.test.ts',
      'test/e2e/security-bodies.test.ts',
      'test/e2e/security-leaks.test.ts',
    ],
  },
  {
    why: 'the wrappers between a host and the bridge are watched on Linux only (src/local/parent.ts)',
    on: LINUX,
    files: ['test/e2e/host-killed.test.ts'],
  },
  {
    why: 'they make network namespaces',
    on: LINUX,
    files: ['test/e2e/interfaces.test.ts'],
  },
  {
    why: 'they send signals; on Windows each of those ends a process at once, or is none',
    on: POSIX,
    files: [
      'test/e2e/client-mode.test.ts',
      'test/e2e/eras-wire.test.ts',
      'test/e2e/last-words.test.ts',
      'test/e2e/life.test.ts',
      'test/e2e/login-paste.test.ts',
      'test/e2e/login.test.ts',
      'test/e2e/outages.test.ts',
      'test/e2e/retry.test.ts',
      'test/e2e/security-callback.test.ts',
      'test/e2e/server-requests.test.ts',
      'test/e2e/status.test.ts',
      'test/e2e/wake.test.ts',
      'test/http/network.test.ts',
    ],
  },
  {
    why: 'they look at modes, owners and links of files, which Windows has not, or not for everybody',
    on: POSIX,
    files: [
      'test/e2e/auth-keys.test.ts',
      'test/e2e/compiled.test.ts',
      'test/e2e/network.test.ts',
      'test/e2e/security-store.test.ts',
      'test/e2e/trace.test.ts',
      'test/hosts/file.test.ts',
      'test/http/certificates.test.ts',
      'test/store/credentials.test.ts',
      'test/store/files.test.ts',
      'test/store/introductions.test.ts',
      'test/store/list.test.ts',
      'test/store/verdicts.test.ts',
      'test/tools/pins.test.ts',
      'test/trace/sink.test.ts',
    ],
  },
  {
    why: 'they run shell scripts, or programs that are some',
    on: POSIX,
    parts: ['conformance'],
    files: [
      'test/auth/browser.test.ts',
      'test/commands/completion.test.ts',
      'test/e2e/documents.test.ts',
      'test/e2e/doctor.test.ts',
      'test/e2e/fresh-user.test.ts',
      'test/e2e/hosts.test.ts',
    ],
  },
  {
    why: 'on Windows the start of the browser is caught inside the bridge, and is what they look at',
    on: POSIX,
    files: ['test/e2e/security-browser.test.ts'],
  },
  {
    why: 'Windows gives no other parent to the children of a process that has ended',
    on: POSIX,
    files: ['test/local/parent.test.ts'],
  },
  {
    why: 'on Windows nothing tells wrangler to end its own processes with it',
    on: POSIX,
    files: ['test/worker/test/template.test.ts'],
  },
]

/** The rows that a system leaves out. @param {NodeJS.Platform} platform */
function leftOut(platform) {
  return ROWS.filter(({ on }) => !on.includes(platform))
}

/**
 * What is left out, and why, for people: it has neither passed nor failed, and whoever reads a count has
 * to know what it is not about.
 *
 * @param {NodeJS.Platform} platform
 */
export function leftOutText(platform) {
  return leftOut(platform)
    .map(({ why, parts = [], files = [] }) => [...parts, ...files].join(', ') + `: ${why}`)
    .map((text) => `left out on ${platform}: ${text}\n`)
    .join('')
}

/** The parts that a system leaves out. @param {NodeJS.Platform} platform */
export function partsLeftOut(platform) {
  return leftOut(platform).flatMap(({ parts = [] }) => parts)
}

/** The test files that a system leaves out. @param {NodeJS.Platform} platform */
export function filesLeftOut(platform) {
  return leftOut(platform).flatMap(({ files = [] }) => files)
}
