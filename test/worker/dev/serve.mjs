import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * @typedef {object} WorkerOptions
 * @property {'public' | 'oauth'} flavour
 * @property {string} [entry] Another entry file than that of the flavour, for tests.
 * @property {Record<string, string | undefined>} [vars] Variables and secrets over the defaults below; undefined takes one away.
 * @property {number} [port] 0, the default, takes a free one.
 * @property {number} [rateLimit] Requests per caller and minute.
 * @property {(request: import('miniflare').Request) => Promise<import('miniflare').Response> | import('miniflare').Response} [outboundService]
 *   Answers what the Worker fetches from other hosts.
 */

/**
 * @typedef {object} RunningWorker
 * @property {string} url Origin, without a slash at its end.
 * @property {Miniflare} mf
 * @property {LogLine[]} logs The Worker's structured log lines so far.
 * @property {Awaited<ReturnType<typeof import('./idp.mjs').startIdp>>} [idp] The identity provider of the OAuth flavour.
 * @property {() => Promise<void>} stop
 */

/** @typedef {import('node:stream').Readable} Readable */

/** @typedef {{ level: string, event: string } & Record<string, unknown>} LogLine */

/** Requests per minute that no test reaches by accident. */
const GENEROUS = 100_000

/** Defaults of a local run; a deployed Worker has none of these. */
const LOCAL_VARS = {
  TEST_HOOKS: '1',
  CONFORMANCE_FIXTURES: '1',
  DEMO_API_KEY: 'local-demo-key',
}

/**
 * Starts one flavour in workerd on a loopback port, with all its state in memory.
 *
 * @param {WorkerOptions} options
 * @returns {Promise<RunningWorker>}
 */
export async function startWorker(options) {
  const { flavour, port = 0, rateLimit = GENEROUS } = options
  const script = await bundle(options.entry ?? `src/${flavour}.ts`)
  const idp = flavour === 'oauth' ? await (await import('./idp.mjs')).startIdp({}) : undefined
  /** @type {LogLine[]} */
  const logs = []
  const mf = new Miniflare({
    host: '127.0.0.1',
    port,
    // Without this, miniflare asks cloudflare.com for sample request properties.
    cf: false,
    handleRuntimeStdio: (/** @type {Readable} */ stdout, /** @type {Readable} */ stderr) => {
      readLines(stdout, (line) => collect(line, logs))
      readLines(stderr, (line) => collect(line, logs))
    },
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }],
    compatibilityDate: '2026-04-01',
    compatibilityFlags: [
      'enable_request_signal',
      ...(flavour === 'oauth' ? ['global_fetch_strictly_public'] : []),
    ],
    durableObjects: {
      SESSIONS: { className: 'McpSession', useSQLite: true },
      OWNERS: { className: 'OwnerState', useSQLite: true },
    },
    kvNamespaces: ['PREFS', ...(flavour === 'oauth' ? ['OAUTH_KV'] : [])],
    d1Databases: ['DB'],
    queueProducers: { JOBS: 'jobs' },
    queueConsumers: { jobs: { maxBatchTimeout: 0.1, maxRetries: 2, retryDelay: 0 } },
    ratelimits: { RATE_LIMITER: { simple: { limit: rateLimit, period: 60 } } },
    bindings: present({
      ...LOCAL_VARS,
      ...(idp === undefined
        ? {}
        : {
            UPSTREAM: 'oidc',
            OIDC_ISSUER: idp.issuer,
            OIDC_CLIENT_ID: idp.clientId,
            OIDC_CLIENT_SECRET: idp.clientSecret,
          }),
      ...options.vars,
    }),
    ...(options.outboundService === undefined ? {} : { outboundService: options.outboundService }),
  })
  try {
    const { origin } = await mf.ready
    await applyMigrations(mf)
    idp?.allowRedirect(`${origin}/callback`)
    const stop = async () => {
      await mf.dispose()
      await idp?.stop()
    }
    return { url: origin, mf, logs, ...(idp === undefined ? {} : { idp }), stop }
  } catch (error) {
    await Promise.allSettled([mf.dispose(), idp?.stop()])
    throw error
  }
}

/**
 * @param {Record<string, string | undefined>} vars
 * @returns {Record<string, string>}
 */
function present(vars) {
  return Object.fromEntries(
    Object.entries(vars).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** @type {Map<string, Promise<string>>} */
const bundles = new Map()

/**
 * One bundle per entry and process: several workers in one test run share it.
 *
 * @param {string} entry
 */
function bundle(entry) {
  const known = bundles.get(entry)
  if (known !== undefined) return known
  const made = build({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
    // workerd starts twice as fast from a minified script; names stay readable in stacks.
    minify: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'error',
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? '')
  bundles.set(entry, made)
  return made
}

/** @param {Miniflare} mf */
async function applyMigrations(mf) {
  const folder = new URL('../migrations/', import.meta.url)
  const db = await mf.getD1Database('DB')
  for (const file of (await readdir(folder)).sort()) {
    const sql = await readFile(new URL(file, folder), 'utf8')
    const statements = sql.split(';').map((part) => part.trim())
    await db.batch(statements.filter((part) => part !== '').map((part) => db.prepare(part)))
  }
}

/**
 * @param {Readable} stream
 * @param {(line: string) => void} onLine
 */
function readLines(stream, onLine) {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (/** @type {string} */ chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}

/**
 * @param {string} line
 * @param {LogLine[]} logs
 */
function collect(line, logs) {
  if (line.startsWith('{')) {
    logs.push(JSON.parse(line))
    return
  }
  // workerd says these whenever a client leaves or a hook evicts an object, which tests do all day.
  if (
    line === '' ||
    /disconnected: |Broken pipe|Error: evicted|cut by the test hook|stack: /.test(line)
  )
    return
  process.stderr.write(`workerd: ${line}\n`)
}
