import {
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { editStored, homeFolder, storedFile } from '../auth/home.ts'
import { finish, printedLink, request, signedIn, startHost } from '../auth/host.ts'
import { startWorld, type World } from '../auth/world.ts'
import { type BridgeOptions, initialize } from '../support/bridge.ts'
import { foreignOwner, openUmask } from '../support/hostile-process.ts'
import { json } from '../support/http-server.ts'

/** Mode bits of everything in a folder, by path. */
function modesBelow(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const kind = entry.isDirectory() ? 'folder' : 'file'
      return [path.slice(folder.length), `${kind} ${(lstatSync(path).mode & 0o777).toString(8)}`]
    }),
  )
}

/** Signs in and shows that the bridge works, whatever has become of its store; gives what it says. */
async function worksWithout(world: World, options: BridgeOptions): Promise<string> {
  const host = startHost(world.mcp.url, options)
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect(await host.answer(0)).toHaveProperty('result')
  world.authority.expireAccess()
  host.write(request(1))
  expect(await host.answer(1)).toHaveProperty('result')
  await finish(host)
  return host.stderr()
}

/** A home whose only stored file has the name that the bridge will look for, with this content. */
async function homeWith(world: World, content: string): Promise<{ home: string; file: string }> {
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  const file = storedFile(home)
  writeFileSync(file, content)
  return { home, file }
}

const refusedText = /the sign-in cannot be kept for the next start/

describe('A-75: the store', () => {
  test('is private from its first byte, under any umask and in any stage', async () => {
    const world = await startWorld()
    const home = homeFolder()
    const host = startHost(world.mcp.url, { ...openUmask, home })
    host.write(initialize(0))
    const link = await host.browser.opened()
    const check = (): void => {
      const modes = Object.entries(modesBelow(join(home, 'data')))
      expect(modes.filter(([, mode]) => mode !== 'folder 700' && mode !== 'file 600')).toEqual([])
      expect(modes.length).toBeGreaterThan(1)
    }
    check() // the verifier is on disk now
    await visit(link)
    expect(await host.answer(0)).toHaveProperty('result')
    check()
    await finish(host)
    check()
    expect(Object.values(modesBelow(home)).filter((mode) => /[1-7]$/.test(mode))).toEqual([])
  })

  test('a symbolic link in its place is neither read nor written through', async () => {
    const world = await startWorld()
    const { home, file } = await homeWith(world, '')
    const target = join(home, 'target.json')
    writeFileSync(target, 'of somebody else')
    rmSync(file)
    symlinkSync(target, file)
    expect(await worksWithout(world, { home })).toMatch(refusedText)
    expect(readFileSync(target, 'utf8')).toBe('of somebody else')
    expect(lstatSync(file).isSymbolicLink()).toBe(true)
  })

  test('somebody else’s tokens are not used, and ours not given to them', async () => {
    const world = await startWorld()
    const home = homeFolder()
    await finish(await signedIn(world, { home }))
    const before = readFileSync(storedFile(home), 'utf8')
    const asked = world.authority.authorizations.length
    expect(await worksWithout(world, { ...foreignOwner, home })).toMatch(refusedText)
    expect(world.authority.authorizations).toHaveLength(asked + 1)
    expect(readFileSync(storedFile(home), 'utf8')).toBe(before)
  })

  test('a folder that cannot be written costs a warning, not the sign-in', async () => {
    const world = await startWorld()
    const home = homeFolder()
    writeFileSync(join(home, 'data'), 'a file where a folder should be')
    const said = await worksWithout(world, { home })
    expect(said.match(new RegExp(refusedText, 'g'))).toHaveLength(1)
  })

  test.each([
    ['half of it', '{"layout":1,"server":"http'],
    ['another shape', '{"layout":1,"issuers":[]}'],
  ])('damaged by %s, is set aside and said so', async (_, content) => {
    const world = await startWorld()
    const { home, file } = await homeWith(world, content)
    const host = startHost(world.mcp.url, { home })
    host.write(initialize(0))
    await visit(await printedLink(host))
    expect(await host.answer(0)).toHaveProperty('result')
    await finish(host)
    expect(host.stderr()).toContain('it was set aside as')
    expect(readFileSync(`${file}.damaged`, 'utf8')).toBe(content)
    expect(statSync(`${file}.damaged`).mode & 0o777).toBe(0o600)
    // What was made anew works at the next start.
    const again = startHost(world.mcp.url, { home })
    again.write(initialize(0))
    expect(await again.answer(0)).toHaveProperty('result')
    expect(again.stderr()).toBe('')
  })

  test('of a newer version is left alone', async () => {
    const world = await startWorld()
    const { home, file } = await homeWith(world, '{"layout":99,"tokens":"elsewhere"}')
    expect(await worksWithout(world, { home })).toMatch(/written by a newer version/)
    expect(readFileSync(file, 'utf8')).toBe('{"layout":99,"tokens":"elsewhere"}')
  })

  test('a token that would be more than one header is neither kept nor sent', async () => {
    const world = await startWorld()
    const home = homeFolder()
    await finish(await signedIn(world, { home }))
    const forged = 'a\r\nX-Evil: 1'
    editStored(home, (text) =>
      text.replace(/"accessToken":"[^"]+"/, `"accessToken":${JSON.stringify(forged)}`),
    )
    expect(await worksWithout(world, { home })).toContain('it was set aside as')
    world.authority.revokeAll()
    world.authority.script.token = (_call, response) => {
      json(response, { access_token: forged, token_type: 'Bearer' })
      return true
    }
    const host = startHost(world.mcp.url, { home })
    host.write(initialize(0))
    await visit(await printedLink(host))
    expect((await host.answer(0)).error?.message).toContain('a token that cannot be sent')
    expect(readFileSync(storedFile(home), 'utf8')).not.toContain('X-Evil')
    for (const { headers } of world.mcp.seen) expect(headers).not.toHaveProperty('x-evil')
  })
})
