import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { credentialsFolder, editStored, homeFolder, stored } from '../auth/home.ts'
import { finish, signedIn } from '../auth/host.ts'
import { startOidcWorld } from '../auth/oidc.ts'
import { startWorld, type World } from '../auth/world.ts'
import { runCommand, type Said } from '../support/command.ts'
import { json } from '../support/http-server.ts'
import { startLogin } from '../support/login.ts'
import { completeSignIn } from '../worker/dev/browser.mjs'
import { startWorker } from '../worker/dev/serve.mjs'

const TERMINAL = [
  '--require',
  fileURLToPath(new URL('../support/preload/terminal.cjs', import.meta.url)),
]

interface Tokens {
  readonly accessToken: string
  readonly refreshToken?: string
}

/** The tokens that are stored in a home. */
function tokensIn(home: string): Tokens {
  const { issuers, current } = stored(home) as {
    issuers: Record<string, { tokens: Tokens }>
    current: string
  }
  return issuers[current]!.tokens
}

/** The names of the records in a home. */
function records(home: string): string[] {
  return readdirSync(credentialsFolder(home)).filter((name) => /\.(json|keychain)/.test(name))
}

/** Signs in through a relay, which is gone then. */
async function signIn(world: World, home: string, args: readonly string[] = []): Promise<void> {
  await finish(await signedIn(world, { home, args }))
}

/** An authority that revokes, and what it was asked to revoke. */
async function revocable(status = 200): Promise<{ world: World; revoked: URLSearchParams[] }> {
  const revoked: URLSearchParams[] = []
  const world = await startWorld({})
  const { script, issuer } = world.authority
  script.metadata = { revocation_endpoint: `${issuer}/revoke` }
  script.other = (request, response) => {
    if (request.path !== '/revoke') return false
    const form = new URLSearchParams(request.body.toString('utf8'))
    revoked.push(form)
    const error_description = `not ${String(form.get('token'))}`
    if (status === 200) response.writeHead(200).end()
    else json(response, { error: 'server_error', error_description }, { status })
    return true
  }
  return { world, revoked }
}

describe('with a real OpenID provider', () => {
  test('status names the account; token renews; logout revokes both tokens and deletes', async () => {
    const world = await startOidcWorld()
    const home = homeFolder()
    const args = ['--scope', 'openid offline_access mcp:read']
    const login = startLogin(world.mcp.url, { home, args })
    await visit(await login.link())
    expect(await login.exit()).toBe(0)

    const status = await runCommand(['status', '--json'], { home })
    expect(status.code).toBe(0)
    expect(JSON.parse(status.stdout)).toMatchObject({
      sign_ins: [
        {
          server: world.mcp.url,
          profile: 'default',
          signed_in: true,
          account: 'ada',
          issuer: world.issuer,
          renewable: true,
          kept_in: 'file',
        },
      ],
      unreadable: [],
    })
    const shown = await runCommand(['status', world.mcp.url], { home })
    expect(shown.stdout).toMatch(/^http\S+\n {2}signed in {2}yes, for \d+ min, then renewed/)
    expect(shown.stdout).toMatch(/\n {2}account {4}ada\n/)

    const before = tokensIn(home)
    editStored(home, (text) => text.replace(/"expiresAt":\d+/, `"expiresAt":${Date.now() - 1000}`))
    const token = await runCommand(['token', world.mcp.url], { home })
    const { accessToken, refreshToken } = tokensIn(home)
    expect(token).toEqual({ code: 0, stdout: `${accessToken}\n`, stderr: '' })
    expect(accessToken).not.toBe(before.accessToken)
    expect(await world.provider.AccessToken.find(accessToken)).toBeDefined()

    const asked = world.asked.length
    const logout = await runCommand(['logout', world.mcp.url], { home })
    expect(logout).toMatchObject({ code: 0, stdout: '' })
    expect(logout.stderr).toMatch(/^Signed out of \S+: revoked there, deleted here\.\n$/)
    expect(world.asked.slice(asked)).toEqual(['POST /token/revocation', 'POST /token/revocation'])
    expect(await world.provider.AccessToken.find(accessToken)).toBeUndefined()
    expect(await world.provider.RefreshToken.find(refreshToken!)).toBeUndefined()
    expect(records(home)).toEqual([])
    expect((await runCommand(['status', world.mcp.url], { home })).code).toBe(4)
    expect(await runCommand(['token', world.mcp.url], { home })).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringMatching(
        /needs a sign-in first\. \[sign_in_needed\]\n {2}Sign in with: bridge login http/,
      ),
    })
  })
})

describe('logout', () => {
  test('sends the refresh token first, and says what kind each is', async () => {
    const { world, revoked } = await revocable()
    const home = homeFolder()
    await signIn(world, home)
    const { accessToken, refreshToken } = tokensIn(home)
    await runCommand(['logout', world.mcp.url], { home })
    expect(revoked.map((form) => [form.get('token'), form.get('token_type_hint')])).toEqual([
      [refreshToken, 'refresh_token'],
      [accessToken, 'access_token'],
    ])
    expect(revoked[0]!.get('client_id')).toBe('client-1')
  })

  test('deletes what could not be revoked, and says so without the token', async () => {
    const { world } = await revocable(503)
    const home = homeFolder()
    await signIn(world, home)
    const { refreshToken } = tokensIn(home)
    const { code, stderr } = await runCommand(['logout', world.mcp.url], { home })
    expect(code).toBe(0)
    expect(stderr).toContain('They could not be revoked there (server_error)')
    expect(stderr).not.toContain(refreshToken)
    expect(records(home)).toEqual([])
  })

  test('also where nobody is there any more, and where none is offered', async () => {
    const { world } = await revocable()
    const plain = await startWorld({})
    const home = homeFolder()
    await signIn(world, home)
    await world.authority.server.close()
    const gone = await runCommand(['logout', world.mcp.url], { home })
    expect(gone.stderr).toMatch(/could not be revoked there \(No connection to /)
    await signIn(plain, home)
    const { stdout } = await runCommand(['logout', plain.mcp.url, '--json'], { home })
    expect(JSON.parse(stdout)).toEqual([
      {
        server: plain.mcp.url,
        profile: 'default',
        identity_provider: false,
        revoked: 'not offered',
      },
    ])
    expect(records(home)).toEqual([])
  })

  test('means one account, or --all of them', async () => {
    const { world, revoked } = await revocable()
    const home = homeFolder()
    for (const profile of ['default', 'work', 'home'])
      await signIn(world, home, ['--profile', profile])
    expect(records(home)).toHaveLength(3)
    await runCommand(['logout', world.mcp.url, '--profile', 'work'], { home })
    expect(records(home)).toHaveLength(2)
    const left = JSON.parse((await runCommand(['status', '--json'], { home })).stdout) as {
      sign_ins: { profile: string }[]
    }
    expect(left.sign_ins.map(({ profile }) => profile).sort()).toEqual(['default', 'home'])
    expect((await runCommand(['logout'], { home })).code).toBe(2)
    await runCommand(['logout', '--all'], { home })
    expect(records(home)).toEqual([])
    expect(revoked).toHaveLength(6)
    expect((await runCommand(['logout', '--all'], { home })).stderr).toBe(
      'There is no stored sign-in.\n',
    )
  })
})

describe('status', () => {
  test('of a record that cannot be read says so, and nothing of what is in it', async () => {
    const home = homeFolder()
    const world = await startWorld({})
    await signIn(world, home)
    const { accessToken } = tokensIn(home)
    editStored(home, (text) => text.replace('"layout":1', '"layout":[').replace('{', '{{'))
    const said = await runCommand(['status'], { home })
    expect(said.stderr).toMatch(
      /^[\da-f]{32}\.json could not be read: it cannot be understood\.\n$/,
    )
    expect(said.stdout + said.stderr).not.toContain(accessToken)
  })

  test('of tokens without renewal that have ended: exit 4', async () => {
    const home = homeFolder()
    const world = await startWorld({})
    world.authority.script.refreshTokens = false
    await signIn(world, home)
    expect((await runCommand(['status'], { home })).code).toBe(0)
    editStored(home, (text) => text.replace(/"expiresAt":\d+/, `"expiresAt":${Date.now() - 1000}`))
    const { code, stdout } = await runCommand(['status'], { home })
    expect(code).toBe(4)
    expect(stdout).toContain('no; bridge login signs in')
    expect((await runCommand(['token', world.mcp.url], { home })).code).toBe(4)
  })

  test('colours only where it is asked for', async () => {
    const home = homeFolder()
    await signIn(await startWorld({}), home)
    const colored = async (env: NodeJS.ProcessEnv, ...args: string[]): Promise<boolean> =>
      (await runCommand(['status', ...args], { home, env })).stdout.includes('\u001b[')
    expect(await colored({})).toBe(false)
    expect(await colored({ FORCE_COLOR: '1' })).toBe(true)
    expect(await colored({ FORCE_COLOR: '1' }, '--no-color')).toBe(false)
  })
})

test('status shows the bridges that run, and not those that are gone', async () => {
  const home = homeFolder()
  const folder = join(home, 'cache', 'running')
  mkdirSync(folder, { recursive: true })
  const one = (pid: number): object => ({
    layout: 1,
    pid,
    server: 'https://mcp.example/mcp',
    startedAt: new Date(Date.now() - 90_000).toISOString(),
    transport: { what: 'chosen', transport: 'http', at: '2026-01-01T00:00:00.000Z' },
    era: { what: 'found', server: 'modern' },
    inFlight: 2,
    counts: {},
  })
  for (const pid of [process.pid, 2 ** 30]) {
    writeFileSync(join(folder, `${pid}.json`), JSON.stringify(one(pid)))
  }
  writeFileSync(join(folder, '1.json'), '{"layout":1')
  const { stdout } = await runCommand(['status', '--json'], { home })
  const { running } = JSON.parse(stdout) as { running: object[] }
  expect(running).toMatchObject([
    {
      pid: process.pid,
      server: 'https://mcp.example/mcp',
      transport: 'http',
      era: 'modern',
      in_flight: 2,
    },
  ])
  const shown = await runCommand(['status', 'https://mcp.example/mcp'], { home })
  expect(shown.stdout).toContain(
    `${process.pid}  https://mcp.example/mcp  http, modern  since 1 min  2 without an answer`,
  )
})

test('what mcp-remote still has is said: the next start would adopt it', async () => {
  const world = await startWorld({})
  const home = homeFolder()
  await signIn(world, home)
  const { accessToken } = tokensIn(home)
  const theirs = homeFolder()
  const name = createHash('md5').update(world.mcp.url).digest('hex')
  mkdirSync(join(theirs, 'mcp-remote-v1'))
  const tokens = JSON.stringify({ access_token: accessToken, token_type: 'Bearer' })
  writeFileSync(join(theirs, 'mcp-remote-v1', `${name}_tokens.json`), tokens)
  const env = { MCP_REMOTE_CONFIG_DIR: theirs }
  const { stderr } = await runCommand(['logout', world.mcp.url], { home, env })
  expect(stderr).toContain(`mcp-remote still has a sign-in to ${world.mcp.url}`)
  expect(stderr).not.toContain(accessToken)
})

describe('token', () => {
  test('does not write to a terminal unless it is told to', async () => {
    const home = homeFolder()
    const world = await startWorld({})
    await signIn(world, home)
    const { accessToken } = tokensIn(home)
    const args = ['token', world.mcp.url]
    const refused = await runCommand(args, { home, nodeArgs: TERMINAL })
    expect(refused).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--show'),
    })
    const shown = await runCommand([...args, '--show'], { home, nodeArgs: TERMINAL })
    expect(shown.stdout).toBe(`${accessToken}\n`)
    const { stdout } = await runCommand([...args, '--json'], { home })
    expect(JSON.parse(stdout)).toEqual({
      access_token: accessToken,
      token_type: 'Bearer',
      expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
    })
  })

  test('of a program is got without a person', async () => {
    const world = await startWorld({})
    const env = { SECRET: 'sentinel-client-secret' }
    const client = ['--client-credentials', '--client-id', 'own', '--client-secret-env', 'SECRET']
    const endpoint = ['--token-endpoint', `${world.authority.issuer}/token`]
    const said = await runCommand(['token', world.mcp.url, ...client, ...endpoint], { env })
    expect(said).toMatchObject({ code: 0, stdout: expect.stringMatching(/^access-1-/), stderr: '' })
    expect(world.authority.server.seen.map(({ path }) => path)).toEqual(['/token'])
  })
})

test('--use-id-token sends the id token', async () => {
  const world = await startOidcWorld()
  const home = homeFolder()
  const args = ['--scope', 'openid mcp:read', '--use-id-token']
  const login = startLogin(world.mcp.url, { home, args })
  await visit(await login.link())
  // This server wants access tokens; what counts is what was stored and sent.
  await login.exit()
  expect(tokensIn(home).accessToken.split('.')).toHaveLength(3)
})

test('a browser ends where --auth-success-url says', async () => {
  const world = await startWorld({})
  const end = `${world.authority.issuer}/.well-known/oauth-authorization-server`
  const login = startLogin(world.mcp.url, { args: ['--auth-success-url', end] })
  const page = await visit(await login.link())
  expect(page.url).toBe(end)
  expect(await login.exit()).toBe(0)
})

test('the Worker: sign in, call as yourself, take the token, sign out; no output but that of token has a secret', async () => {
  const worker = await startWorker({ flavour: 'oauth' })
  try {
    const url = `${worker.url}/mcp`
    const home = homeFolder()
    const unknown = await runCommand(['tools', url], { home })
    expect(unknown).toMatchObject({ code: 4, stderr: expect.stringContaining('[sign_in_needed]') })

    const login = startLogin(url, { home })
    await completeSignIn(await login.link())
    expect(await login.exit()).toBe(0)
    const { accessToken, refreshToken } = tokensIn(home)
    const secrets = [accessToken, refreshToken!]
    const all: Said[] = []
    const run = async (...args: string[]): Promise<Said> => {
      const said = await runCommand(args, { home })
      all.push(said)
      return said
    }
    expect((await run('call', url, 'whoami')).stdout).toContain('ada')
    // Without the scope, and nobody to ask.
    expect((await run('call', url, 'delete_all_notes')).code).not.toBe(0)
    for (const verb of ['tools', 'resources', 'prompts', 'ping']) await run(verb, url)
    await run('tools', url, '--json')
    await run('status', '--json')
    await run('read', url, 'server://about')
    await run('read', url, 'nope://x', '--json')
    expect((await runCommand(['token', url], { home })).stdout).toBe(`${accessToken}\n`)
    expect((await run('logout', url)).stderr).toContain('Signed out of')
    for (const { stdout, stderr } of all) {
      for (const secret of secrets) expect(stdout + stderr).not.toContain(secret)
    }
    const after = await fetch(url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${accessToken}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    })
    expect(after.status).toBe(401)
  } finally {
    await worker.stop()
  }
}, 120_000)
