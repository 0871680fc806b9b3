import { describe, expect, test } from 'vitest'
import { renewSilently } from '../../src/auth/silent.ts'
import { openCredentials } from '../../src/store/credentials.ts'
import { fileOf } from '../../src/store/place.ts'
import { takeLock } from '../../src/store/lock.ts'
import { json } from '../support/http-server.ts'
import { keptLog } from '../support/log.ts'
import { emptyFolder } from '../store/folder.ts'
import type { Script } from './authority.ts'
import { visit } from './browser-stub.ts'
import { authContext, authOptions } from './context.ts'
import { changeStored, lacking, type Running, startAuthorizer } from './running.ts'
import { startWorld, type World } from './world.ts'

const OK = { ok: true }
const own = { clientId: 'own', clientSecret: 's', key: undefined, authMethod: undefined }

/** A bridge that is signed in, and where it has kept that. */
async function signedIn(
  script: Script = {},
  options: Parameters<typeof startAuthorizer>[2] = {},
): Promise<{ world: World; folder: string; bridge: Running }> {
  const world = await startWorld({ script })
  const folder = emptyFolder()
  const bridge = startAuthorizer(world, folder, options)
  const renewed = bridge.refused({ authenticate: ['Bearer scope="read"'] })
  await visit(await bridge.page())
  expect(await renewed).toEqual(OK)
  return { world, folder, bridge }
}

describe('what another request or another process has brought', () => {
  test('a request that comes late with an older token is sent again at once', async () => {
    const { world, bridge } = await signedIn()
    expect(await bridge.refused({ credential: 'Bearer old' })).toEqual(OK)
    expect(world.authority.tokenCalls).toHaveLength(1)
  })

  test('A-93: scopes that another process has got are used, and are the beginning for more', async () => {
    const { world, folder, bridge } = await signedIn()
    const [other, third] = [startAuthorizer(world, folder), startAuthorizer(world, folder)]
    expect(other.credential()).toBe(bridge.credential())
    const more = other.refused(lacking('write'))
    await visit(await other.page())
    expect(await more).toEqual(OK)
    expect(await bridge.refused(lacking('write'))).toEqual(OK)
    expect(bridge.credential()).toBe(other.credential())
    expect(world.authority.authorizations).toHaveLength(2)
    const most = third.refused(lacking('admin'))
    await visit(await third.page())
    expect(await most).toEqual(OK)
    const scopes = world.authority.authorizations.map((asked) => asked.get('scope'))
    expect(scopes).toEqual(['read', 'read write', 'read write admin'])
  })

  test('a sign-in that would bring too few scopes is waited for, and followed by another one', async () => {
    const world = await startWorld()
    const bridge = startAuthorizer(world, emptyFolder())
    const first = bridge.refused({ authenticate: ['Bearer scope="read"'] })
    const page = await bridge.page()
    const second = bridge.refused(lacking('write'))
    await visit(page)
    expect(await first).toEqual(OK)
    await visit(await bridge.page(page))
    expect(await second).toEqual(OK)
    const scopes = world.authority.authorizations.map((asked) => asked.get('scope'))
    expect(scopes).toEqual(['read', 'read write'])
  })
})

describe('a request that nobody waits for', () => {
  const nothing = { ok: false, hint: undefined }

  test('waits for a token that others get, and ends with the bridge', async () => {
    const world = await startWorld()
    const bridge = startAuthorizer(world, emptyFolder())
    const background = bridge.refused({ background: true })
    const waited = bridge.refused()
    await bridge.page()
    await bridge.close()
    expect(await background).toEqual(nothing)
    expect(await waited).toMatchObject({ ok: false, message: 'The bridge is shutting down.' })
  })

  test('does not begin to wait at the end', async () => {
    const bridge = startAuthorizer(await startWorld(), emptyFolder())
    const background = bridge.refused({ background: true })
    await bridge.close()
    expect(await background).toEqual(nothing)
  })
})

test('A-110: a program whose fresh token is refused again has nobody to ask', async () => {
  const world = await startWorld()
  const bridge = startAuthorizer(world, emptyFolder(), {
    grant: 'client_credentials',
    client: own,
    issuer: world.authority.issuer,
  })
  expect(await bridge.refused()).toEqual(OK)
  expect(await bridge.refused({ round: 1 })).toMatchObject({
    ok: false,
    message: expect.stringContaining('refuses a token that was made for it a moment ago'),
  })
  expect(world.authority.tokenCalls).toHaveLength(1)
})

describe('A-83: whose refresh token is used, and how', () => {
  const refreshes = ({ authority }: World): URLSearchParams[] =>
    authority.tokenCalls
      .map(({ form }) => form)
      .filter((form) => form.get('grant_type') === 'refresh_token')

  test('not that of another client than the user names', async () => {
    const { world, folder } = await signedIn()
    const bridge = startAuthorizer(world, folder, { client: own })
    const renewed = bridge.refused()
    const page = new URL(await bridge.page())
    expect(page.searchParams.get('client_id')).toBe('own')
    expect(refreshes(world)).toEqual([])
    await bridge.close()
    expect(await renewed).toMatchObject({ ok: false })
  })

  test('not that of a client that is not known any more', async () => {
    const { world, folder, bridge } = await signedIn()
    await changeStored(world, folder, (record) => {
      const { issuer } = world.authority
      const { client: _, ...known } = record.issuers[issuer]!
      return { ...record, issuers: { [issuer]: known } }
    })
    const renewed = bridge.refused()
    await visit(await bridge.page())
    expect(await renewed).toEqual(OK)
    expect(refreshes(world)).toEqual([])
    expect(world.authority.registrations).toHaveLength(2)
  })

  const withoutResource: Script = {
    token({ form }, response) {
      if (form.get('grant_type') !== 'refresh_token' || !form.has('resource')) return false
      json(response, { error: 'invalid_target' }, { status: 400 })
      return true
    },
  }

  test('without the resource where that is refused, and from then on', async () => {
    const { world, bridge } = await signedIn(withoutResource)
    expect(await bridge.refused()).toEqual(OK)
    expect(await bridge.refused()).toEqual(OK)
    expect(refreshes(world).map((form) => form.has('resource'))).toEqual([true, false, false])
    const warned = bridge.log.lines.filter((line) =>
      line.includes('refuses the resource parameter'),
    )
    expect(warned).toHaveLength(1)
  })

  test('not without the resource that the user has named', async () => {
    const { world, bridge } = await signedIn(withoutResource, { resource: 'urn:x' })
    expect(await bridge.refused()).toMatchObject({ ok: false, kind: 'resource' })
    expect(refreshes(world)).toHaveLength(1)
  })

  test('while the server is away nothing is lost', async () => {
    const script: Script = {}
    const { bridge } = await signedIn(script)
    script.token = (_, response) => {
      response.writeHead(503, { 'retry-after': '60' }).end()
      return true
    }
    expect(await bridge.refused()).toMatchObject({ kind: 'unreachable', retryAfterMs: 60_000 })
    delete script.token
    expect(await bridge.refused()).toEqual(OK)
  })

  test('where the answer is none, a person is asked', async () => {
    const script: Script = {}
    const { bridge } = await signedIn(script)
    script.token = ({ form }, response) => {
      if (form.get('grant_type') !== 'refresh_token') return false
      json(response, null)
      return true
    }
    const renewed = bridge.refused()
    await visit(await bridge.page())
    expect(await renewed).toEqual(OK)
  })

  test('a client of the user that is refused is not replaced', async () => {
    const script: Script = {}
    const { bridge } = await signedIn(script, { client: own })
    script.token = (_, response) => {
      json(response, { error: 'invalid_client' }, { status: 401 })
      return true
    }
    expect(await bridge.refused()).toMatchObject({
      ok: false,
      message: expect.stringMatching(/^The client own is refused: /),
      hint: expect.stringContaining('--client-id'),
    })
  })
})

test('A-84: nothing is renewed while another process does not finish that', async () => {
  const folder = emptyFolder()
  const key = { server: new URL('https://h.example/mcp'), resource: undefined, profile: 'default' }
  const path = fileOf(folder, key).replace(/json$/, 'lock')
  const lock = await takeLock(path, 0, new AbortController().signal)
  const store = openCredentials(folder, key, keptLog(), AbortSignal.abort())
  const context = authContext(() => Promise.reject(new Error('no network')), {
    store,
    options: authOptions(),
  })
  const hints = { refused: undefined, hinted: undefined, challenged: undefined, dpop: false }
  await expect(renewSilently(context, hints)).rejects.toMatchObject({
    kind: 'unreachable',
    message: 'Another process is renewing the sign-in and does not finish.',
  })
  await lock?.release()
})
