import { describe, expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { editStored, homeFolder, stored } from '../auth/home.ts'
import { finish, printedLink, request, startHost } from '../auth/host.ts'
import { startWorld } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { json } from '../support/http-server.ts'
import { until } from '../support/until.ts'

describe('A-76: numbers that a server makes up', () => {
  test.each([0, -1, 1e308, 2 ** 31])('a token that lives %s s is used', async (expiresIn) => {
    const world = await startWorld({ script: { expiresIn } })
    const home = homeFolder()
    const host = startHost(world.mcp.url, { home })
    host.write(initialize(0))
    await visit(await printedLink(host))
    expect(await host.answer(0)).toHaveProperty('result')
    await finish(host)
    const again = startHost(world.mcp.url, { home })
    for (const id of [0, 1, 2]) again.write(id === 0 ? initialize(0) : request(id))
    for (const id of [0, 1, 2]) expect(await again.answer(id)).toHaveProperty('result')
    expect(again.browser.calls()).toEqual([])
    // Neither a damaged file nor a timer that overflows.
    expect(again.stderr()).toBe('')
    expect(world.authority.tokenCalls).toHaveLength(1)
  })

  test('a secret that ends at the end of time is kept', async () => {
    const world = await startWorld({
      script: {
        register: (_request, response) => {
          const secret = { client_secret: 'a', client_secret_expires_at: 1e308 }
          json(response, { client_id: 'client-1', ...secret }, { status: 201 })
          return true
        },
      },
    })
    const home = homeFolder()
    for (const refused of [false, true]) {
      if (refused) {
        world.authority.revokeAll()
        editStored(home, (text) => text.replace(/"refreshToken":"[^"]+",/, ''))
      }
      const host = startHost(world.mcp.url, { home })
      host.write(initialize(0))
      await visit(await printedLink(host))
      expect(await host.answer(0)).toHaveProperty('result')
      await finish(host)
      expect(host.stderr()).not.toMatch(/set aside|Warning/)
    }
    const registrations = world.authority.server.seen.filter(({ path }) => path === '/register')
    expect(registrations).toHaveLength(1)
  })

  test.each([1e-3, 1e10, 1e308])(
    'a device code asked for every %s s is no storm',
    async (interval) => {
      const world = await startWorld({
        script: {
          other: ({ path }, response) => {
            if (path !== '/device') return false
            const place = { verification_uri: `${world.authority.issuer}/enter`, user_code: 'A-B' }
            json(response, { ...place, device_code: 'device', interval, expires_in: 1e308 })
            return true
          },
          token: (_call, response) => {
            json(response, { error: 'authorization_pending' }, { status: 400 })
            return true
          },
        },
      })
      world.authority.script.metadata = {
        device_authorization_endpoint: `${world.authority.issuer}/device`,
      }
      const home = homeFolder()
      const host = startHost(world.mcp.url, { home, args: ['--device-code'] })
      host.write(initialize(0))
      await printedLink(host)
      const begun = Date.now()
      // Long enough for a thousand questions.
      await until('two seconds', () => Date.now() - begun > 2_000)
      expect(world.authority.tokenCalls.length).toBeLessThanOrEqual(3)
      expect(host.stderr()).not.toMatch(/Warning/)
      expect(stored(home)['pending']).toMatchObject({ expiresAt: expect.any(Number) as number })
      await finish(host)
      expect(host.stderr()).not.toMatch(/set aside/)
    },
  )
})
