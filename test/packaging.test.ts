import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { unpackExtension } from '@anthropic-ai/mcpb'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { makeExecutable } from '../packaging/executable.mjs'
import { makeBundle } from '../packaging/mcpb.mjs'
import { initializeResult, json, startServer } from './support/http-server.ts'
import { removeHome } from './support/last-signal.ts'

const run = promisify(execFile)

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test-host', version: '1.0.0' },
  },
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'bridge-packaging-'))
  onTestFinished(() => removeHome(path))
  return path
}

/** What a host gets that asks the program for one server and goes; what the server saw of it. */
async function ask(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const server = await startServer((request, response) => {
    json(response, initializeResult(request.message?.id))
  })
  const child = spawn(command, [...args, server.url], {
    env: { PATH: process.env['PATH'], BRIDGE_HOME: folder(), ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(`${JSON.stringify(INITIALIZE)}\n`)
  child.stdout.setEncoding('utf8')
  let stdout = ''
  for await (const chunk of child.stdout) stdout += String(chunk)
  return { answer: JSON.parse(stdout) as unknown, headers: server.seen[0]?.headers }
}

describe('the bundle for Claude Desktop', () => {
  let home: string
  let manifest: {
    server: { entry_point: string; mcp_config: { args: string[]; env: Record<string, string> } }
    version: string
  }
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'bridge-mcpb-'))
    // The official packer checks the manifest, and the official unpacker takes it apart.
    await makeBundle(join(home, 'bridge.mcpb'))
    const mcpbPath = join(home, 'bridge.mcpb')
    await unpackExtension({ mcpbPath, outputDir: join(home, 'unpacked'), silent: true })
    manifest = JSON.parse(await readFile(join(home, 'unpacked', 'manifest.json'), 'utf8'))
    return () => removeHome(home)
  })

  test('has the version of the package, and the licences of what is in it', async () => {
    expect(manifest.version).toBe(packageJson.version)
    const licences = join(home, 'unpacked', 'server', 'THIRD_PARTY_LICENSES')
    expect(await readFile(licences, 'utf8')).toMatch(/^undici /m)
  })

  test.each([
    ['left empty', '', undefined, 'false'],
    ['not set at all', '${user_config.authorization}', undefined, '${user_config.debug}'],
    ['set', 'Bearer s', 'Bearer s', 'true'],
  ])('runs as Claude Desktop starts it, its settings %s', async (_, value, sent, debug) => {
    const { args, env } = manifest.server.mcp_config
    expect(args.at(-1)).toBe('${user_config.server_url}')
    expect(args[0]).toBe(`\${__dirname}/${manifest.server.entry_point}`)
    expect(env).toEqual({
      BRIDGE_HEADER_AUTHORIZATION: '${user_config.authorization}',
      BRIDGE_LOG: '${user_config.debug}',
    })
    const traces = folder()
    const script = join(home, 'unpacked', manifest.server.entry_point)
    const { answer, headers } = await ask(process.execPath, [script], {
      BRIDGE_HEADER_AUTHORIZATION: value,
      BRIDGE_LOG: debug,
      BRIDGE_HOME: traces,
    })
    expect(answer).toMatchObject({ id: 0, result: { protocolVersion: '2025-11-25' } })
    expect(headers?.['authorization']).toBe(sent)
    expect(existsSync(join(traces, 'log'))).toBe(debug === 'true')
  })
})

test('the executable needs nothing beside it', async () => {
  // Windows starts nothing by another ending; elsewhere it is a name.
  const file = join(folder(), 'bridge.exe')
  await makeExecutable(file)
  expect((await run(file, ['--version'], { env: {} })).stdout).toBe(`${packageJson.version}\n`)
  expect((await run(file, ['--help'], { env: {} })).stdout).toMatch(/^Usage: bridge/)
  expect((await ask(file, [])).answer).toMatchObject({ id: 0 })
})
