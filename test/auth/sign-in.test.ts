import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { json, type Seen } from '../support/http-server.ts'
import { emptyFolder } from '../store/folder.ts'
import type { Script } from './authority.ts'
import { visit } from './browser-stub.ts'
import { changeStored, type Running, startAuthorizer } from './running.ts'
import { startWorld, type World } from './world.ts'

const OK = { ok: true }
const own = { clientId: 'own', clientSecret: undefined, key: undefined, authMethod: undefined }

const redirectOf = (page: string): URL => new URL(new URL(page).searchParams.get('redirect_uri')!)

/** A bridge that waits for a person, and all that is needed to start another one beside it. */
async function waiting(
  script: Script = {},
  options: Parameters<typeof startAuthorizer>[2] = {},
): Promise<{
  world: World
  folder: string
  bridge: Running
  page: string
  renewed: ReturnType<Running['refused']>
}> {
  const world = await startWorld({ script })
  const folder = emptyFolder()
  const bridge = startAuthorizer(world, folder, options)
  const renewed = bridge.refused()
  return { world, folder, bridge, renewed, page: await bridge.page() }
}

/** A sign-in page that does not let the person in. */
const refusing = (error: string): Script => ({
  authorize: (answer) => new URLSearchParams({ error, state: answer.get('state')! }),
})

describe('a bridge that waits for the sign-in of another one', () => {
  test('says what that one says when the person is denied', async () => {
    const { world, folder, page, renewed } = await waiting(refusing('access_denied'))
    const other = startAuthorizer(world, folder)
    const followed = other.refused()
    expect(await other.page()).toBe(page)
    await visit(page)
    const failure = await renewed
    expect(failure).toMatchObject({ message: 'The sign-in was denied (access_denied).' })
    expect(await followed).toMatchObject({
      ok: false,
      message: 'The sign-in was denied (access_denied).',
    })
    expect(world.authority.authorizations).toHaveLength(1)
  })

  test('waits no longer than its own user wants', async () => {
    const { world, folder } = await waiting()
    const other = startAuthorizer(world, folder, { timeoutMs: 1 })
    expect(await other.refused()).toMatchObject({
      kind: 'unanswered',
      message: expect.stringContaining('Nobody signed in'),
    })
  })

  test('ends when it is told to', async () => {
    const { world, folder } = await waiting()
    const other = startAuthorizer(world, folder)
    const followed = other.refused()
    await other.page()
    await other.close()
    expect(await followed).toMatchObject({ message: 'The bridge is shutting down.' })
  })
})

describe('A-56: the page of a bridge that is gone', () => {
  test.each(['127.0.0.1', 'localhost'] as const)(
    'is completed by the next one, at %s',
    async (callbackHost) => {
      const { world, folder, bridge, page } = await waiting({}, { callbackHost })
      await bridge.close()
      // Whatever it was started with.
      const next = startAuthorizer(world, folder)
      const renewed = next.refused()
      expect(await next.page()).toBe(page)
      expect(redirectOf(page).hostname).toBe(callbackHost)
      await visit(page)
      expect(await renewed).toEqual(OK)
      expect(world.authority.registrations).toHaveLength(1)
    },
  )

  test.each<[string, Parameters<typeof startAuthorizer>[2], Parameters<typeof startAuthorizer>[3]]>(
    [
      ['is too old', {}, { now: () => Date.now() + 600_000 }],
      ['is of another client', { client: own }, {}],
    ],
  )('is not shown again when it %s', async (_, options, more) => {
    const { world, folder, bridge, page } = await waiting()
    await bridge.close()
    const next = startAuthorizer(world, folder, options, more)
    const renewed = next.refused()
    expect(await next.page()).not.toBe(page)
    await next.close()
    expect(await renewed).toMatchObject({ ok: false })
  })

  test('is not shown again when somebody else listens where it leads to', async () => {
    const { world, folder, bridge, page } = await waiting()
    await bridge.close()
    const port = Number(redirectOf(page).port)
    const squatter = createServer()
    await new Promise<void>((resolve) => {
      squatter.listen(port, '127.0.0.1', resolve)
    })
    onTestFinished(() => void squatter.close())
    const strict = startAuthorizer(world, folder, { callbackPort: port })
    expect(await strict.refused()).toMatchObject({
      message: expect.stringContaining('another program listens there'),
    })
    const next = startAuthorizer(world, folder)
    const renewed = next.refused()
    const other = await next.page()
    expect(redirectOf(other).port).not.toBe(`${port}`)
    await visit(other)
    expect(await renewed).toEqual(OK)
  })
})

test('A-64: the host that is registered is the host of the next sign-in', async () => {
  const { world, folder, bridge, page, renewed } = await waiting({}, { callbackHost: 'localhost' })
  await visit(page)
  await renewed
  await bridge.close()
  world.authority.revokeAll()
  const next = startAuthorizer(world, folder)
  const again = next.refused()
  const other = await next.page()
  expect(redirectOf(other).href).toBe(redirectOf(page).href)
  await visit(other)
  expect(await again).toEqual(OK)
  expect(world.authority.registrations).toHaveLength(1)
})

describe('a sign-in page that does not know the client', () => {
  const dead = refusing('unauthorized_client')

  test('A-48: is asked again with a new registration, once', async () => {
    const { world, bridge, page, renewed } = await waiting(dead)
    await visit(page)
    const second = await bridge.page(page)
    await visit(second)
    expect(await renewed).toMatchObject({
      kind: 'client',
      message: expect.stringContaining('unauthorized_client'),
    })
    expect(world.authority.registrations).toHaveLength(2)
    expect(bridge.log.lines).toContainEqual(expect.stringContaining('it is registered again'))
  })

  test('A-48: lets the person in with the new one', async () => {
    const script: Script = { ...dead }
    const { bridge, page, renewed } = await waiting(script)
    await visit(page)
    delete script.authorize
    await visit(await bridge.page(page))
    expect(await renewed).toEqual(OK)
  })

  test('is believed when the client is the user’s own', async () => {
    const { world, page, renewed } = await waiting(dead, { client: own })
    await visit(page)
    expect(await renewed).toMatchObject({ kind: 'client' })
    expect(world.authority.authorizations).toHaveLength(1)
  })
})

test('a sign-in that fails after everything was deleted leaves nothing behind', async () => {
  const { world, folder, page, renewed } = await waiting(refusing('access_denied'))
  await changeStored(world, folder, () => undefined)
  await visit(page)
  expect(await renewed).toMatchObject({ ok: false })
  let left: unknown
  await changeStored(world, folder, (record) => {
    left = record
    return record
  })
  expect(left).toMatchObject({ issuers: {} })
  expect(left).not.toHaveProperty('failed')
})

test('a client that is dead after everything was deleted is registered again', async () => {
  const script = refusing('unauthorized_client')
  const { world, folder, bridge, page, renewed } = await waiting(script)
  await changeStored(world, folder, () => undefined)
  await visit(page)
  delete script.authorize
  await visit(await bridge.page(page))
  expect(await renewed).toEqual(OK)
})

describe('a sign-in by device code', () => {
  /** Answers at the device endpoint; the code is never entered. */
  const device = (page: string): Script => ({
    other(request: Seen, response) {
      if (request.path !== '/device') return false
      const answer = { device_code: 'dc', user_code: 'AAAA', verification_uri: page }
      json(response, { ...answer, expires_in: 600, interval: 1 })
      return true
    },
    token({ form }, response) {
      if (form.get('device_code') !== 'dc') return false
      json(response, { error: 'authorization_pending' }, { status: 400 })
      return true
    },
  })

  async function byDevice(
    script: Script,
    offered = true,
  ): Promise<{
    world: World
    folder: string
    bridge: Running
  }> {
    const world = await startWorld({ script })
    const { issuer } = world.authority
    if (offered)
      world.authority.script.metadata = { device_authorization_endpoint: `${issuer}/device` }
    const folder = emptyFolder()
    return { world, folder, bridge: startAuthorizer(world, folder, { grant: 'device_code' }) }
  }

  test('is not to be had where it is not offered', async () => {
    const { world, bridge } = await byDevice({}, false)
    expect(await bridge.refused()).toMatchObject({
      message: `${world.authority.issuer} does not offer a sign-in by device code.`,
      hint: 'Leave --device-code out.',
    })
  })

  test('A-58: shows no page that could be read on the way', async () => {
    const { world, bridge } = await byDevice(device('http://as.example/activate'))
    expect(await bridge.refused()).toMatchObject({
      message: `${new URL(world.mcp.url).host} wants a page opened that is not https; it was not opened.`,
    })
    expect(bridge.log.lines.join('\n')).not.toContain('as.example')
  })

  test('A-56: is completed by the next bridge, as long as its code lives', async () => {
    const { world, folder, bridge } = await byDevice(device('https://as.example/activate'))
    const asked = (): number =>
      world.authority.server.seen.filter(({ path }) => path === '/device').length
    void bridge.refused()
    await bridge.page()
    await bridge.close()
    for (const [ms, times] of [
      [0, 1],
      [600_000, 2],
    ] as const) {
      const now = (): number => Date.now() + ms
      const next = startAuthorizer(world, folder, { grant: 'device_code' }, { now })
      void next.refused()
      await next.page()
      expect(asked()).toBe(times)
      await next.close()
    }
  })

  test('ends when another process has got tokens in some other way', async () => {
    const { world, folder, bridge } = await byDevice(device('https://as.example/activate'))
    const renewed = bridge.refused()
    expect(await bridge.page()).toBe('https://as.example/activate')
    expect(bridge.pending()).toMatchObject({ code: 'AAAA', bareCode: false })
    const { issuer } = world.authority
    await changeStored(world, folder, (record) => {
      const known = record.issuers[issuer]!
      const tokens = {
        accessToken: 'of-another-process',
        obtainedAt: Date.now(),
        clientId: known.client!.clientId,
        grant: 'authorization_code' as const,
      }
      return { ...record, current: issuer, issuers: { [issuer]: { ...known, tokens } } }
    })
    expect(await renewed).toEqual(OK)
    expect(bridge.credential()).toBe('Bearer of-another-process')
  })
})
