import { expect, test } from 'vitest'
import { stubBrowser, visit } from '../auth/browser-stub.ts'
import { homeFolder, stored } from '../auth/home.ts'
import { finish, type Host, printedLink, request, signedIn, startHost } from '../auth/host.ts'
import { startWorld, type World } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { until } from '../support/until.ts'

function startMany(count: number, world: World, home: string): Host[] {
  const browser = stubBrowser()
  return Array.from({ length: count }, () => {
    const host = startHost(world.mcp.url, { home, browser })
    host.write(initialize(0))
    return host
  })
}

test('Five processes at once open one tab, and all of them get the result', async () => {
  const world = await startWorld()
  const hosts = startMany(5, world, homeFolder())
  const link = await hosts[0]!.browser.opened()
  // All of them have been refused, and wait.
  await until('five refusals', () => world.calls().length === 5)
  await visit(link)
  for (const host of hosts) expect(await host.answer(0)).toHaveProperty('result')
  expect(hosts[0]!.browser.calls()).toEqual([[link]])
  expect(world.authority.authorizations).toHaveLength(1)
  expect(world.authority.registrations).toHaveLength(1)
  expect(world.authority.tokenCalls).toHaveLength(1)
})

test('A-54, A-56: kill -9 in the middle of a sign-in: the next process completes the same one', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const first = startHost(world.mcp.url, { home })
  first.write(initialize(0))
  const link = await first.browser.opened()
  first.child.kill('SIGKILL')
  await first.exit()
  const second = startHost(world.mcp.url, { home })
  second.write(initialize(0))
  expect(await printedLink(second)).toBe(link)
  expect((await visit(link)).status).toBe(200)
  expect(await second.answer(0)).toHaveProperty('result')
  expect(second.browser.calls()).toEqual([])
  expect(stored(home)).not.toHaveProperty('pending')
})

test('A process that waits takes over when the one with the tab dies', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const hosts = startMany(2, world, home)
  const link = await hosts[0]!.browser.opened()
  const leads = (host: Host): boolean => host.stderr().includes(link)
  const leader = await until('the leader', () => hosts.find(leads))
  const other = hosts.find((host) => host !== leader)!
  leader.child.kill('SIGKILL')
  await until('the take-over', () => leads(other))
  await visit(link)
  expect(await other.answer(0)).toHaveProperty('result')
  expect(other.browser.calls()).toEqual([[link]])
})

test('A host that ends and starts again gets no second tab, and the first one still works', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const browser = stubBrowser()
  const first = startHost(world.mcp.url, { home, browser })
  first.write(initialize(0))
  const link = await browser.opened()
  await finish(first)
  const second = startHost(world.mcp.url, { home, browser })
  second.write(initialize(0))
  expect(await printedLink(second)).toBe(link)
  await visit(link)
  expect(await second.answer(0)).toHaveProperty('result')
  expect(browser.calls()).toEqual([[link]])
})

test('After a sign-in that failed, a restart prints the address and opens no second tab', async () => {
  const world = await startWorld({
    script: {
      authorize: (answer) =>
        new URLSearchParams({ error: 'access_denied', state: answer.get('state') ?? '' }),
    },
  })
  const home = homeFolder()
  const browser = stubBrowser()
  const first = startHost(world.mcp.url, { home, browser })
  first.write(initialize(0))
  await visit(await browser.opened())
  expect((await first.answer(0)).error?.message).toMatch(/denied/)
  await finish(first)
  delete world.authority.script.authorize
  const second = startHost(world.mcp.url, { home, browser })
  second.write(initialize(0))
  await visit(await printedLink(second))
  expect(await second.answer(0)).toHaveProperty('result')
  expect(browser.calls()).toHaveLength(1)
})

test('Another profile is another account: its own file, its own sign-in', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  const work = startHost(world.mcp.url, { home, args: ['--profile', 'work'] })
  work.write(initialize(0))
  await visit(await printedLink(work))
  expect(await work.answer(0)).toHaveProperty('result')
  const tokens = world.calls().map(({ token }) => token)
  const again = startHost(world.mcp.url, { home })
  again.write(initialize(0))
  await again.answer(0)
  expect(world.calls().at(-1)?.token).toBe(tokens[1])
})

test('A process adopts what another one has renewed', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const one = await signedIn(world, { home })
  const two = startHost(world.mcp.url, { home })
  two.write(initialize(0))
  await two.answer(0)
  world.authority.expireAccess()
  one.write(request(1))
  expect(await one.answer(1)).toHaveProperty('result')
  two.write(request(1))
  expect(await two.answer(1)).toHaveProperty('result')
  expect(world.authority.tokenCalls).toHaveLength(2)
})
