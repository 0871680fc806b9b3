import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import {
  companyProvider,
  newSigner,
  revoked,
  seenIdTokens,
  trustingServer,
} from '../auth/company.ts'
import { credentialsFolder, editStored, homeFolder } from '../auth/home.ts'
import { finish, printedLink, request, startHost } from '../auth/host.ts'
import { signJwt } from '../auth/jwt.ts'
import { type OidcWorld, startOidcWorld } from '../auth/oidc.ts'
import { initialize } from '../support/bridge.ts'
import { runCommand } from '../support/command.ts'
import { until } from '../support/until.ts'

const SECRET = 'sentinel-secret-of-the-client-71aa'

/** A company, and a server that takes its word. */
async function startCompany(): Promise<{ idp: OidcWorld; servers: OidcWorld[]; args: string[] }> {
  const signer = newSigner()
  const clients = [{ client_id: 'bridge-at-server', client_secret: SECRET }]
  const idp = await startOidcWorld(companyProvider(signer))
  const server = (): Promise<OidcWorld> =>
    startOidcWorld(trustingServer(signer, clients, 'oauth-id-jag+jwt'))
  const servers = [await server(), await server()]
  const args = ['--client-id', 'bridge-at-server', '--client-secret-env', 'SECRET']
  return {
    idp,
    servers,
    args: [...args, '--idp-issuer', idp.issuer, '--idp-client-id', 'laptop'],
  }
}

const env = { SECRET }

const expire = (text: string): string =>
  text.replaceAll(/"expiresAt":\d+/g, `"expiresAt":${Date.now() - 1000}`)

/** ID tokens of one second are the same to the letter: a new one is another only in the next. */
async function nextSecond(): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  await until('the next second', () => Math.floor(Date.now() / 1000) > now)
}

/** Changes the record of the identity provider. */
function editIdp(home: string, change: (text: string) => string): string {
  const folder = join(credentialsFolder(home), 'idp')
  const [name, ...more] = readdirSync(folder).filter((file) => file.endsWith('.json'))
  expect(more).toEqual([])
  const file = join(folder, name!)
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, change(text))
  return text
}

test('A-113: one sign-in at the company serves every server; renewals need no browser', async () => {
  const { idp, servers, args } = await startCompany()
  const home = homeFolder()
  const [one, two] = servers as [OidcWorld, OidcWorld]
  const host = startHost(one.mcp.url, { home, args, env })
  host.write(initialize(0))
  const link = await printedLink(host)
  expect(new URL(link).origin).toBe(idp.issuer)
  expect((await visit(link)).status).toBe(200)
  expect(await host.answer(0)).toHaveProperty('result')
  await finish(host)
  // nobody was sent to the server's own sign-in page.
  expect(one.asked).not.toContain('GET /auth')

  const other = startHost(two.mcp.url, { home, args, env })
  other.write(initialize(0))
  expect(await other.answer(0)).toHaveProperty('result')
  await finish(other)
  expect(other.stderr()).toBe('')

  // Everything has expired: the session at the provider brings an ID token, and all goes on.
  editIdp(home, expire)
  for (const name of readdirSync(credentialsFolder(home))) {
    if (!name.endsWith('.json')) continue
    const file = join(credentialsFolder(home), name)
    writeFileSync(file, expire(readFileSync(file, 'utf8')))
  }
  const before = idp.asked.length
  const hosts = [one, two, one].map(({ mcp }) => startHost(mcp.url, { home, args, env }))
  for (const each of hosts) each.write(initialize(0))
  for (const each of hosts) expect(await each.answer(0)).toHaveProperty('result')
  for (const each of hosts) await finish(each)
  // One refresh of the ID token, and one assertion for each server.
  expect(idp.asked.slice(before)).toEqual(['POST /token', 'POST /token', 'POST /token'])
  for (const each of [other, ...hosts]) expect(each.browser.calls()).toEqual([])

  // the secrets of it are in no output.
  const kept = editIdp(home, (text) => text)
  const secrets = [...kept.matchAll(/"(?:accessToken|refreshToken)":"([^"]+)"/g)].map(([, s]) => s!)
  expect(secrets).toHaveLength(2)
  for (const each of [host, other, ...hosts]) {
    const output = [each.stderr(), ...each.lines].join('\n')
    for (const secret of [...secrets, ...seenIdTokens, SECRET]) expect(output).not.toContain(secret)
  }
})

test('A-113: an ID token that is not accepted any more is renewed once; then somebody is asked', async () => {
  const { servers, args } = await startCompany()
  const [world] = servers as [OidcWorld]
  const home = homeFolder()
  const host = startHost(world.mcp.url, { home, args, env })
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect(await host.answer(0)).toHaveProperty('result')
  await finish(host)
  editIdp(home, (text) => {
    revoked.add(/"accessToken":"([^"]+)"/.exec(text)![1]!)
    return text
  })
  editStored(home, expire)
  await nextSecond()
  const again = startHost(world.mcp.url, { home, args, env })
  again.write(initialize(0))
  expect(await again.answer(0)).toHaveProperty('result')
  expect(again.browser.calls()).toEqual([])
  await finish(again)
  // Without a refresh token there is nothing but the page.
  editIdp(home, (text) => {
    revoked.add(/"accessToken":"([^"]+)"/.exec(text)![1]!)
    return text.replace(/"refreshToken":"[^"]+",?/, '')
  })
  editStored(home, expire)
  await nextSecond()
  const asking = startHost(world.mcp.url, { home, args, env })
  asking.write(initialize(0))
  await visit(await printedLink(asking))
  expect(await asking.answer(0)).toHaveProperty('result')
})

test('the sign-in at the company is shown, outlives that to a server, and is revoked and deleted', async () => {
  const { idp, servers, args } = await startCompany()
  const [world] = servers as [OidcWorld]
  const home = homeFolder()
  const host = startHost(world.mcp.url, { home, args, env })
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect(await host.answer(0)).toHaveProperty('result')
  // On a busy machine that answer comes before the sign-in is complete.
  await until('the sign-in to the server', () =>
    readdirSync(credentialsFolder(home)).some((name) => name.endsWith('.json')),
  )
  await finish(host)
  const [, refreshToken] = /"refreshToken":"([^"]+)"/.exec(editIdp(home, (text) => text))!
  const issuer = `${idp.issuer}/`

  const status = await runCommand(['status', '--json'], { home })
  expect(status.code).toBe(0)
  expect(JSON.parse(status.stdout)).toMatchObject({
    sign_ins: [
      { server: world.mcp.url, identity_provider: false, signed_in: true },
      { server: issuer, identity_provider: true, signed_in: true, renewable: true, account: 'ada' },
    ],
    unreadable: [],
  })
  const shown = await runCommand(['status', world.mcp.url], { home })
  expect(shown.stdout).toContain(`\n${issuer} (identity provider)\n  signed in  yes, for `)

  const left = await runCommand(['logout', world.mcp.url], { home })
  expect(left.stderr.split('\n').slice(1)).toEqual([
    `The sign-in at ${issuer} serves other servers too; bridge logout ${issuer} ends it.`,
    '',
  ])
  expect(await idp.provider.RefreshToken.find(refreshToken!)).toBeDefined()

  const before = idp.asked.length
  expect(await runCommand(['logout', idp.issuer], { home })).toMatchObject({
    code: 0,
    stderr: `Signed out of the identity provider ${issuer}: revoked there, deleted here.\n`,
  })
  expect(idp.asked.slice(before)).toEqual(['POST /token/revocation'])
  expect(await idp.provider.RefreshToken.find(refreshToken!)).toBeUndefined()
  expect((await runCommand(['status'], { home })).stdout).toBe('There is no stored sign-in.\n')
})

test('A-116: a workload shows the token of its platform, read anew; a refusal is final', async () => {
  const signer = newSigner()
  const clients = [{ client_id: 'workload', token_endpoint_auth_method: 'none' }]
  const world = await startOidcWorld(trustingServer(signer, clients, undefined))
  const home = homeFolder()
  const file = join(home, 'projected-token')
  let issued = 0
  const issue = (aud: string): string => {
    const exp = Math.floor(Date.now() / 1000) + 600
    const claims = { iss: 'https://platform.example', sub: 'pod', aud, exp, jti: String(++issued) }
    const token = signJwt({}, claims, signer.privateKey)
    writeFileSync(file, token)
    return token
  }
  const args = ['--client-id', 'workload', '--issuer', world.issuer, '--workload-token-file', file]
  issue(world.issuer)
  const host = startHost(world.mcp.url, { home, args })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  await finish(host)
  expect(host.stderr()).toBe('')

  editStored(home, expire)
  const wrong = issue('https://elsewhere.example')
  const before = world.asked.length
  const refused = startHost(world.mcp.url, { home, args })
  for (const id of [0, 1]) {
    refused.write(id === 0 ? initialize(0) : request(1))
    const { error } = await refused.answer(id)
    expect(error?.message).toMatch(/workload is refused.*invalid_grant/)
    expect(JSON.stringify(error)).not.toContain(wrong)
  }
  // The same token is not shown twice, nothing else is tried, nobody is asked.
  expect(world.asked.slice(before).filter((line) => line.startsWith('POST'))).toEqual([
    'POST /token',
  ])
  expect(refused.browser.calls()).toEqual([])
  // The platform has replaced it in the meantime.
  issue(world.issuer)
  refused.write(request(2))
  expect(await refused.answer(2)).toHaveProperty('result')
})
