import { expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { homeFolder } from '../auth/home.ts'
import { finish, printedLink, request, signedIn, startHost } from '../auth/host.ts'
import { startWorld, type World } from '../auth/world.ts'
import type { Message } from '../support/bridge.ts'
import type { Seen } from '../support/http-server.ts'

const asked = (world: World): (string | null)[] =>
  world.authority.authorizations.map((params) => params.get('scope'))

/** `tools/call` needs the scope that the tool is named after. */
const byTool = ({ message }: Seen): string | undefined => {
  if (message?.method !== 'tools/call') return undefined
  return String(message.params?.['name'])
}

const call = (id: unknown, name: string): object => request(id, 'tools/call', { name })

test.each([
  [
    'the challenge',
    { challenge: ', scope="from challenge"', metadata: { scopes_supported: ['x'] } },
    'from challenge',
  ],
  ['all that the server publishes', { metadata: { scopes_supported: ['a', 'b'] } }, 'a b'],
  ['nothing', {}, null],
])('A-90: the first scope comes from %s', async (_, options, expected) => {
  const world = await startWorld({
    ...options,
    // Never everything that the authorization server could give.
    script: { metadata: { scopes_supported: ['admin', 'superuser'] } },
  })
  await signedIn(world)
  expect(asked(world)).toEqual([expected])
})

test('A-90: --scope overrides what servers name', async () => {
  const world = await startWorld({ challenge: ', scope="big"' })
  await signedIn(world, { args: ['--scope', 'small'] })
  expect(asked(world)).toEqual(['small'])
})

test('A-81: offline_access is added where it is offered, with consent', async () => {
  const script = { metadata: { scopes_supported: ['a', 'offline_access'] } }
  const world = await startWorld({ script, metadata: { scopes_supported: ['a'] } })
  await signedIn(world)
  expect(asked(world)).toEqual(['a offline_access'])
  expect(world.authority.authorizations[0]!.get('prompt')).toBe('consent')
})

test('A-81: offline_access is not asked of a server that does not offer it', async () => {
  const world = await startWorld({ metadata: { scopes_supported: ['a'] } })
  await signedIn(world)
  expect(asked(world)).toEqual(['a'])
  expect(world.authority.authorizations[0]!.has('prompt')).toBe(false)
})

test('A-91, A-92, A-93: 403 insufficient_scope asks for the union, and the request goes through', async () => {
  const world = await startWorld({ metadata: { scopes_supported: ['read'] }, needs: byTool })
  const host = await signedIn(world)
  host.write(call(1, 'write'))
  await visit(await printedLink(host, 1))
  expect(await host.answer(1)).toHaveProperty('result')
  expect(asked(world)).toEqual(['read', 'read write'])
  // The step-up opens a tab of its own although the first one was a moment ago.
  expect(host.browser.calls()).toHaveLength(2)
  expect(world.authority.tokenCalls.map(({ form }) => form.get('grant_type'))).toEqual([
    'authorization_code',
    'authorization_code',
  ])
})

test('A-93: after a restart the union still holds what was granted before', async () => {
  const world = await startWorld({ metadata: { scopes_supported: ['read'] }, needs: byTool })
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  const host = startHost(world.mcp.url, { home })
  host.write(call(1, 'write'))
  await visit(await printedLink(host))
  expect(await host.answer(1)).toHaveProperty('result')
  expect(asked(world)).toEqual(['read', 'read write'])
})

test('A-92: requests that need the same scope at once share one sign-in; others go on meanwhile', async () => {
  const world = await startWorld({ needs: byTool })
  const host = await signedIn(world)
  for (const id of [1, 2, 3]) host.write(call(id, 'write'))
  const link = await printedLink(host, 1)
  host.write(request(4))
  expect(await host.answer(4)).toHaveProperty('result')
  await visit(link)
  for (const id of [1, 2, 3]) expect(await host.answer(id)).toHaveProperty('result')
  expect(asked(world)).toHaveLength(2)
})

test('A-94: a scope that is never granted is asked for once per request, three times per operation', async () => {
  const world = await startWorld({
    judge: ({ message }) =>
      message?.method === 'tools/call'
        ? { status: 403, challenge: 'Bearer error="insufficient_scope", scope="moon"' }
        : undefined,
  })
  const host = await signedIn(world)
  const answers: Message[] = []
  for (const id of [1, 2, 3]) {
    host.write(call(id, 'fly'))
    await visit(await printedLink(host, id))
    answers.push(await host.answer(id))
  }
  host.write(call(4, 'fly'))
  answers.push(await host.answer(4))
  for (const { error } of answers) expect(error?.data?.['httpStatus']).toBe(403)
  expect(asked(world)).toHaveLength(1 + 3)
})

test('A-96: any other 403 is an error and opens nothing', async () => {
  const world = await startWorld({
    judge: ({ message }) =>
      message?.method === 'tools/call'
        ? { status: 403, challenge: 'Bearer error="invalid_request"' }
        : undefined,
  })
  const host = await signedIn(world)
  host.write(call(1, 'x'))
  expect((await host.answer(1)).error?.data?.['httpStatus']).toBe(403)
  expect(asked(world)).toHaveLength(1)
})

test('A-03: unknown parameters of a challenge do not become scopes', async () => {
  const world = await startWorld({ challenge: ', max_scope="big", scope="small"' })
  await signedIn(world)
  expect(asked(world)).toEqual(['small'])
})

test('A-94: requests that share a step-up use up one of it, and a sign-in does not use up any', async () => {
  const world = await startWorld({ needs: byTool })
  const host = startHost(world.mcp.url)
  // The first request is refused for want of a token, then for want of a scope.
  host.write(call(0, 'a'))
  await visit(await printedLink(host))
  await visit(await printedLink(host, 1))
  expect(await host.answer(0)).toHaveProperty('result')
  const ids = [1, 2, 3, 4, 5]
  for (const id of ids) host.write(call(id, 'b'))
  await visit(await printedLink(host, 2))
  for (const id of ids) expect(await host.answer(id)).toHaveProperty('result')
  expect(asked(world)).toEqual([null, 'a', 'a b'])
})
