import type { ServerResponse } from 'node:http'
import { createGzip } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { printedLink, startHost } from '../auth/host.ts'
import { startProtected } from '../auth/protected.ts'
import { startWorld } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { peakMemoryMiB } from '../support/hostile-process.ts'
import { atThisPace } from '../support/pace.ts'
import { until } from '../support/until.ts'

const MIB = 1024 * 1024
const SIZE_MIB = 200

/** Ways to send more than anybody can want to read. */
const FLOODS: Readonly<
  Record<string, (response: ServerResponse, sent: (mib: number) => void) => void>
> = {
  'a long document': (response, sent) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    pump(response, sent)
  },
  'a small document that unpacks to a long one': (response, sent) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    const gzip = createGzip()
    gzip.pipe(response)
    response.on('close', () => gzip.destroy())
    pump(gzip, sent)
  },
}

/** Writes `SIZE_MIB` of blanks, as fast as they are taken. */
function pump(to: NodeJS.WritableStream, sent: (mib: number) => void): void {
  const piece = Buffer.alloc(MIB, ' ')
  let left = SIZE_MIB
  const more = (): void => {
    while (left > 0) {
      left--
      sent(SIZE_MIB - left)
      if (!to.write(piece)) {
        to.once('drain', more)
        return
      }
    }
    to.end()
  }
  to.on('error', () => {}) // the reader is gone
  more()
}

/** A document that comes one byte per moment and has no end. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => response.write(' '), 100)
  response.on('close', () => clearInterval(timer))
}

/** A server whose own metadata is what `answer` writes. */
function startWith(answer: (response: ServerResponse) => void): ReturnType<typeof startProtected> {
  return startProtected({
    judge: () => ({ status: 401, challenge: 'Bearer resource_metadata="/document"' }),
    also({ path }, response) {
      if (path !== '/document') return false
      answer(response)
      return true
    },
  })
}

describe('A-102: what an authorization server may cost is limited', () => {
  test.each(Object.entries(FLOODS))('%s is given up at 1 MiB', async (_, flood) => {
    let sent = 0
    const server = await startWith((response) => flood(response, (mib) => (sent = mib)))
    const host = startHost(server.url)
    host.write(initialize(0))
    expect((await host.answer(0)).error?.message).toContain('sent more than 1 MiB; not read.')
    // An idle bridge has some 60 MiB; reading all of it twice takes 400 more.
    expect(peakMemoryMiB(host.child.pid!)).toBeLessThan(150)
    expect(sent).toBeGreaterThan(0)
    expect(host.browser.calls()).toEqual([])
  })

  test.each(Object.entries(FLOODS))('%s in the place of tokens, too', async (_, flood) => {
    const world = await startWorld({
      script: {
        token: (_call, response) => {
          flood(response, () => {})
          return true
        },
      },
    })
    const host = startHost(world.mcp.url)
    host.write(initialize(0))
    const page = await visit(await printedLink(host))
    expect(page.text).toContain('The sign-in failed')
    expect((await host.answer(0)).error?.message).toContain('sent more than 1 MiB; not read.')
    expect(peakMemoryMiB(host.child.pid!)).toBeLessThan(150)
  })

  test('a document that never ends is waited for 10 s, and the host can go meanwhile', async () => {
    const begun = Date.now()
    let open = 0
    const server = await startWith((response) => {
      open++
      response.on('close', () => open--)
      drip(response)
    })
    const host = startHost(server.url)
    const leaving = startHost(server.url)
    for (const { write } of [host, leaving]) write(initialize(0))
    await until('both readers', () => open === 2)
    leaving.end()
    expect((await leaving.exit(3_000)).code).toBe(0)
    expect((await host.answer(0)).error?.message).toContain('did not answer in time.')
    const waited = Date.now() - begun
    expect(waited).toBeGreaterThan(9_000)
    expect(waited).toBeLessThan(await atThisPace(15_000))
    await until('the end of the connections', () => open === 0)
  })
})
