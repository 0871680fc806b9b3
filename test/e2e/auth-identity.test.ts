import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { DOCUMENT_PORT } from '../../src/auth/client-metadata.ts'
import { visit } from '../auth/browser-stub.ts'
import { homeFolder, stored } from '../auth/home.ts'
import { finish, printedLink, signedIn, startHost } from '../auth/host.ts'
import { startWorld } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { json } from '../support/http-server.ts'

const DOCUMENT_URL = 'https://mcp-bridge.example/client.json'

const document = JSON.parse(
  readFileSync(new URL('../../docs/client-metadata.json', import.meta.url), 'utf8'),
) as Record<string, unknown>

test('A-40, A-43: a published client is used as it is published', async () => {
  const world = await startWorld({
    script: { metadata: { client_id_metadata_document_supported: true } },
  })
  const args = ['--client-metadata-url', DOCUMENT_URL]
  await signedIn(world, { args })
  expect(world.authority.registrations).toEqual([])
  const [asked] = world.authority.authorizations
  expect(asked!.get('client_id')).toBe(document['client_id'])
  expect(document['redirect_uris']).toContain(asked!.get('redirect_uri'))
  const [{ form, authorization } = { form: undefined, authorization: 'none' }] =
    world.authority.tokenCalls
  expect(form?.get('client_id')).toBe(document['client_id'])
  // `none`, as the document says.
  expect(authorization).toBeUndefined()
  expect(form?.has('client_secret')).toBe(false)
})

test('A-40: a server that does not take documents gets a registration', async () => {
  const world = await startWorld()
  await signedIn(world, { args: ['--client-metadata-url', DOCUMENT_URL] })
  expect(world.authority.registrations).toHaveLength(1)
})

test('A-45, A-46: what a registration says', async () => {
  const world = await startWorld({ metadata: { scopes_supported: ['a', 'b'] } })
  await signedIn(world)
  expect(world.authority.registrations).toEqual([
    expect.objectContaining({
      application_type: 'native',
      client_name: 'MCP Bridge',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [world.authority.authorizations[0]!.get('redirect_uri')],
      response_types: ['code'],
      scope: 'a b',
      token_endpoint_auth_method: 'none',
    }),
  ])
})

test('A-41: a configured client registers nothing and authenticates with its secret', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const args = ['--client-id', 'my client', '--client-secret-env', 'MY_SECRET']
  const env = { MY_SECRET: 'top:sécret' }
  const host = await signedIn(world, { args, env, home })
  expect(world.authority.registrations).toEqual([])
  const [{ authorization } = { authorization: '' }] = world.authority.tokenCalls
  const plain = Buffer.from(authorization?.replace('Basic ', '') ?? '', 'base64').toString('utf8')
  // form-encoded before Base64.
  expect(plain).toBe('my+client:top%3As%C3%A9cret')
  expect(JSON.stringify(stored(home))).not.toContain('top')
  expect(host.stderr()).not.toContain('top:')
})

test('A-71: the methods that the metadata names', async () => {
  for (const [methods, expected] of [
    [undefined, 'basic'],
    [['client_secret_post'], 'post'],
    [['client_secret_post', 'client_secret_basic'], 'basic'],
  ] as const) {
    const script = { metadata: { token_endpoint_auth_methods_supported: methods } }
    const world = await startWorld({ script })
    const args = ['--client-id', 'me', '--client-secret-env', 'MY_SECRET']
    await signedIn(world, { args, env: { MY_SECRET: 's3cret' } })
    const [{ form, authorization } = { form: new URLSearchParams(), authorization: '' }] =
      world.authority.tokenCalls
    expect(authorization === undefined ? 'post' : 'basic').toBe(expected)
    expect(form.get('client_secret')).toBe(expected === 'post' ? 's3cret' : null)
  }
})

test('A-72: a server that does not decode gets id and secret as they are, on invalid_client', async () => {
  const seen: string[] = []
  const world = await startWorld({
    script: {
      token({ authorization }, response) {
        const plain = Buffer.from(authorization?.slice(6) ?? '', 'base64').toString('utf8')
        seen.push(plain)
        if (plain === 'a:b/c') return false
        json(response, { error: 'invalid_client' }, { status: 401 })
        return true
      },
    },
  })
  const args = ['--client-id', 'a', '--client-secret-env', 'MY_SECRET']
  await signedIn(world, { args, env: { MY_SECRET: 'b/c' } })
  expect(seen).toEqual(['a:b%2Fc', 'a:b/c'])
})

test('mcp-remote’s static client, inline, from a file and with variables', async () => {
  const file = join(homeFolder(), 'client.json')
  writeFileSync(file, JSON.stringify({ client_id: 'from-file', client_secret: '${MY_SECRET}' }))
  for (const [value, id] of [
    ['{"client_id":"inline"}', 'inline'],
    [`@${file}`, 'from-file'],
  ] as const) {
    const world = await startWorld()
    const args = ['--static-oauth-client-info', value]
    await signedIn(world, { args, env: { MY_SECRET: 'x"y' } })
    expect(world.authority.authorizations[0]!.get('client_id')).toBe(id)
  }
  const world = await startWorld()
  await signedIn(world, { args: ['--static-oauth-client-metadata', '{"client_name":"Mine"}'] })
  expect(world.authority.registrations[0]).toMatchObject({ client_name: 'Mine' })
})

test('A-47: a refused redirect URI is tried once with the other spelling of this machine', async () => {
  const world = await startWorld()
  let tries = 0
  world.authority.script.register = (request, response) => {
    tries++
    if (request.body.includes('http://localhost:')) return false
    json(response, { error: 'invalid_redirect_uri' }, { status: 400 })
    return true
  }
  await signedIn(world)
  expect(tries).toBe(2)
  expect(world.authority.authorizations[0]!.get('redirect_uri')).toContain('//localhost:')
})

test('A-47: a registration that is refused for good is a readable error', async () => {
  const world = await startWorld()
  let tries = 0
  world.authority.script.register = (_request, response) => {
    tries++
    const body = {
      error: 'invalid_client_metadata',
      error_description: 'no \u001b[31mpublic clients',
    }
    json(response, body, { status: 400 })
    return true
  }
  const host = startHost(world.mcp.url)
  host.write(initialize(0))
  const { error } = await host.answer(0)
  expect(error?.message).toMatch(/refuses to register.*no +\[31mpublic clients/)
  expect(error?.data?.['hint']).toContain('--client-id')
  expect(tries).toBe(2)
  expect(host.browser.calls()).toEqual([])
})

test('No way to get a client: the error says which redirect URI to register', async () => {
  const world = await startWorld({ script: { metadata: { registration_endpoint: undefined } } })
  const host = startHost(world.mcp.url)
  host.write(initialize(0))
  const { error } = await host.answer(0)
  expect(error?.data?.['hint']).toMatch(
    /redirect URI http:\/\/127\.0\.0\.1:\d+\/callback.*--client-id/,
  )
})

test('A-48: 200, no expiry and no echo are fine; an expired secret is registered again', async () => {
  const world = await startWorld()
  const home = homeFolder()
  let count = 0
  world.authority.script.register = (_request, response) => {
    count++
    const expired = Math.floor(Date.now() / 1000) - (count === 1 ? 10 : -1000)
    json(response, {
      client_id: `c${count}`,
      client_secret: 's',
      client_secret_expires_at: expired,
    })
    return true
  }
  await finish(await signedIn(world, { home }))
  world.authority.revokeAll()
  const again = startHost(world.mcp.url, { home })
  again.write(initialize(0))
  await visit(await printedLink(again))
  expect(await again.answer(0)).toHaveProperty('result')
  expect(count).toBe(2)
})

test('A registration that the server has forgotten is noticed before the browser opens', async () => {
  const world = await startWorld({ script: { refreshTokens: false } })
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  world.authority.revokeAll()
  world.authority.forgetClients()
  const again = startHost(world.mcp.url, { home })
  again.write(initialize(0))
  await visit(await printedLink(again))
  expect(await again.answer(0)).toHaveProperty('result')
  expect(world.authority.authorizations.map((asked) => asked.get('client_id'))).toEqual([
    'client-1',
    'client-2',
  ])
})

test('A-66: a busy registered port leads to another port and a new registration', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  world.authority.revokeAll()
  const [redirect] = world.authority.registrations[0]!['redirect_uris'] as string[]
  await occupy(Number(new URL(redirect!).port))
  const again = startHost(world.mcp.url, { home })
  again.write(initialize(0))
  await visit(await printedLink(again))
  expect(await again.answer(0)).toHaveProperty('result')
  expect(world.authority.registrations).toHaveLength(2)
  expect(world.authority.registrations[1]!['redirect_uris']).not.toContain(redirect)
})

test('A-66: a busy --callback-port is an error that says so', async () => {
  const world = await startWorld()
  const port = await occupy(0)
  const host = startHost(world.mcp.url, { args: ['--callback-port', String(port)] })
  host.write(initialize(0))
  const { error } = await host.answer(0)
  expect(error?.message).toContain(`Port ${port}`)
  expect(host.browser.calls()).toEqual([])
})

test('--callback-port, --callback-host and --callback-path make the redirect URI', async () => {
  const world = await startWorld()
  const free = await occupy(0, true)
  const args = ['--callback-port', String(free), '--callback-host', 'localhost']
  await signedIn(world, { args: [...args, '--callback-path', '/oauth/callback'] })
  const redirect = world.authority.authorizations[0]!.get('redirect_uri')
  expect(redirect).toBe(`http://localhost:${free}/oauth/callback`)
})

test('A-49, A-16: when the server names another issuer, nothing of the first one goes there', async () => {
  const first = await startWorld()
  const second = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(first, { home }))
  first.authority.revokeAll()
  first.trust(second.authority)
  const again = startHost(first.mcp.url, { home })
  again.write(initialize(0))
  await visit(await printedLink(again))
  expect(await again.answer(0)).toHaveProperty('result')
  expect(second.authority.registrations).toHaveLength(1)
  const sent = second.authority.server.seen
    .map(({ path, body }) => path + body.toString('utf8'))
    .join()
  expect(Object.keys(stored(home)['issuers'] as object)).toEqual([
    first.authority.issuer,
    second.authority.issuer,
  ])
  expect(sent).not.toContain('refresh-1')
})

test('A-50: a configured client whose issuer is not the server’s is an error with both names', async () => {
  const world = await startWorld()
  const args = ['--client-id', 'x', '--issuer', 'https://other.example']
  const host = startHost(world.mcp.url, { args })
  host.write(initialize(0))
  const { error } = await host.answer(0)
  expect(error?.message).toContain('https://other.example')
  expect(error?.message).toContain(world.authority.issuer)
  expect(world.authority.server.seen).toEqual([])
})

test('A-42: what cannot be the id of a published client is refused as configuration', async () => {
  const world = await startWorld()
  for (const url of [
    'https://x.example/',
    'http://x.example/client.json',
    'https://x.example/a#b',
    'https://user@x.example/a',
    'https://x.example/a/../b',
  ]) {
    const host = startHost(world.mcp.url, { args: ['--client-metadata-url', url] })
    expect((await host.exit()).code).toBe(2)
    expect(host.stderr()).toContain('--client-metadata-url')
  }
})

test('A-44: the published redirect URIs name both loopback hosts with the fixed port', () => {
  expect(document['redirect_uris']).toEqual(
    expect.arrayContaining([
      `http://127.0.0.1:${DOCUMENT_PORT}/callback`,
      `http://localhost:${DOCUMENT_PORT}/callback`,
    ]),
  )
})

/** Listens on a port until the end of the test, or only finds one that is free. */
async function occupy(port: number, release = false): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve)
  })
  const found = (server.address() as { port: number }).port
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
    })
  if (release) await close()
  else onTestFinished(close)
  return found
}
