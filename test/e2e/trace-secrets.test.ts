import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { homeFolder, stored, storedFile } from '../auth/home.ts'
import { finish, printedLink, request, startHost } from '../auth/host.ts'
import { initialize } from '../support/bridge.ts'
import { dataOfReport, recordsIn, runBridge, traceFiles } from '../support/trace.ts'
import { completeSignIn } from '../worker/dev/browser.mjs'
import { startWorker } from '../worker/dev/serve.mjs'

let worker: Awaited<ReturnType<typeof startWorker>>
beforeAll(async () => {
  worker = await startWorker({ flavour: 'oauth' })
})
afterAll(() => worker.stop())

const API_KEY = 'sentinel-api-key-1f6a'
const GIVEN = 'sentinel-password-77c0'

/** What stands behind each of these on the wire is a secret. */
const ON_THE_WIRE = [
  /^authorization: (?:Bearer|Basic) (.+?)\r?$/gim,
  /^mcp-session-id: (.+?)\r?$/gim,
  /[&\n](?:code|code_verifier|refresh_token|client_secret)=([^&\r\n]+)/g,
]

test('no secret of a whole sign-in is in a trace, on stderr, in a report or in HAR', async () => {
  const home = homeFolder()
  const wireFile = join(home, 'wire')
  const tap = fileURLToPath(new URL('../support/preload/wire-tap.cjs', import.meta.url))
  const host = startHost(`${worker.url}/mcp`, {
    home,
    args: ['--debug', '--header', `X-Api-Key: ${API_KEY}`],
    env: { WIRE_FILE: wireFile },
    nodeArgs: ['-r', tap],
  })
  host.write(initialize(0))
  const link = new URL(await printedLink(host))
  const { pending } = stored(home) as { pending: { verifier: string } }
  const page = await completeSignIn(link.href)
  expect(page.status).toBe(200)
  expect(await host.answer(0)).toHaveProperty('result')
  host.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  const revoked = await fetch(`${worker.url}/__test/revoke-access`, { method: 'POST' })
  expect(revoked.status).toBe(200)
  // A secret in what the host says, escaped, and one that the server will repeat.
  const escaped = GIVEN.replace('s', String.raw`\u0073`)
  host.write(
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{"password":"${escaped}","note":"key ${API_KEY}"}}}`,
  )
  expect(await host.answer(1, 30_000)).toHaveProperty('result')
  host.write(request(2))
  expect(await host.answer(2)).toHaveProperty('result')
  await finish(host)

  const wire = readFileSync(wireFile, 'utf8')
  const crossed = ON_THE_WIRE.flatMap((pattern) => [...wire.matchAll(pattern)].map((m) => m[1]!))
  const kept = [
    ...readFileSync(storedFile(home), 'utf8').matchAll(/"(?:accessToken|refreshToken)":"([^"]+)"/g),
  ]
  const secrets = new Set([
    ...crossed,
    ...crossed.map((text) => decodeURIComponent(text)),
    ...kept.map((match) => match[1]!),
    pending.verifier,
    new URL(page.finalUrl).searchParams.get('code') ?? pending.verifier,
    API_KEY,
    GIVEN,
    escaped,
  ])
  // Two access tokens, two refresh tokens, a session, a code and a verifier have crossed the wire.
  expect(secrets.size).toBeGreaterThanOrEqual(10)
  expect(wire).toContain(API_KEY)

  const [path] = traceFiles(home)
  const [html, har] = [join(home, 'out.html'), join(home, 'out.har')]
  const { code } = await runBridge(['trace', '--html', html, '--har', har], home)
  expect(code).toBe(0)
  const shown = await runBridge(['trace', path!], home)
  const report = readFileSync(html, 'utf8')
  const places = {
    trace: readFileSync(path!, 'utf8'),
    report: report + dataOfReport(report),
    har: readFileSync(har, 'utf8'),
    view: shown.stdout,
    stderr: host.stderr(),
  }
  for (const [place, text] of Object.entries(places)) {
    const leaks = [...secrets].filter((secret) => text.includes(secret))
    expect({ place, leaks }).toEqual({ place, leaks: [] })
  }
  // The address of the sign-in page is for the person at stderr, and for nobody else.
  const state = link.searchParams.get('state')!
  expect(places.stderr).toContain(state)
  expect(places.trace).not.toContain(state)

  // What is left says what happened, and that it was two tokens.
  const records = recordsIn(path!)
  const tokens = new Set(
    records.flatMap(({ requestHeaders }) => {
      const { authorization } = (requestHeaders ?? {}) as { authorization?: string }
      return authorization === undefined ? [] : [authorization]
    }),
  )
  expect([...tokens].every((text) => /^Bearer ‹token:[0-9a-f]{8}›$/.test(text))).toBe(true)
  expect(tokens.size).toBe(2)
  expect(
    records
      .filter(({ type }) => type === 'state')
      .map(({ part, what }) => `${String(part)} ${String(what)}`),
  ).toEqual(expect.arrayContaining(['auth waiting', 'auth authorized']))
  expect(
    records
      .filter(({ to }) => to === 'authorization')
      .map(({ url }) => new URL(url as string).pathname),
  ).toEqual(expect.arrayContaining(['/oauth/register', '/oauth/token']))
})
