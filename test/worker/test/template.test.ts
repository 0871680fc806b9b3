import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectV1, textOf } from './support/clients.ts'

// What a deployer runs, offline: wrangler itself, with the template's own configuration.
const wrangler = createRequire(import.meta.url).resolve('wrangler/bin/wrangler.js')
const root = fileURLToPath(new URL('..', import.meta.url))
/** wrangler bundles, starts workerd and waits for it; on a busy machine that takes its time. */
const SLOW_MS = 120_000

/** Without these, wrangler asks its makers for updates and for sample request properties. */
const env = {
  ...process.env,
  CI: '1',
  NO_COLOR: '1',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
}

let state: string
beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'bridge-worker-'))
})
afterAll(() => rm(state, { recursive: true, force: true }))

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [wrangler, ...args], { cwd: root, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      child.emit('output', output)
    })
  }
  return { child, output: () => output }
}

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const { child, output } = start(args)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output: output() }
}

describe.each(['wrangler.jsonc', 'wrangler.oauth.jsonc'])('%s', (config) => {
  test('can be deployed as it is, says the dry run', { timeout: SLOW_MS }, async () => {
    const { code, output } = await run('deploy', '--dry-run', '--config', config)
    expect(output).toContain('--dry-run: exiting now.')
    expect(code).toBe(0)
  })
})

test(
  'wrangler dev serves a client, with the tables that its migrations made',
  { timeout: SLOW_MS },
  async () => {
    const here = ['--persist-to', state]
    const migrated = await run('d1', 'migrations', 'apply', 'DB', '--local', ...here)
    expect(migrated.output).toContain('0001_init.sql')
    expect(migrated.code).toBe(0)

    const { child, output } = start([
      'dev',
      '--ip=127.0.0.1',
      '--port=0',
      '--inspector-port=0',
      ...here,
    ])
    try {
      const url = await new Promise<string>((resolve, reject) => {
        child.on('output', (text: string) => {
          const [, origin] = /Ready on (http:\/\/[\w.:]+)/.exec(text) ?? []
          if (origin !== undefined) resolve(origin)
        })
        child.once('close', () => reject(new Error(output())))
      })
      const client = await connectV1(`${url}/mcp`)
      const added = await client.callTool({ name: 'add_note', arguments: { text: 'by wrangler' } })
      expect(added.isError).toBeFalsy()
      const found = await client.callTool({ name: 'search_notes', arguments: {} })
      expect(textOf(found)).toContain('by wrangler')
      await client.close()
    } finally {
      child.kill('SIGTERM')
      await once(child, 'close')
    }
  },
)
