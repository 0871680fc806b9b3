import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homeFolder } from '../auth/home.ts'
import { finish, type Host, request, startHost } from '../auth/host.ts'
import { startProtected } from '../auth/protected.ts'
import { initialize } from '../support/bridge.ts'
import type { TestServer } from '../support/http-server.ts'

/** A server that takes the tokens of a list. */
function startTaker(good: Set<string>): Promise<TestServer> {
  return startProtected({
    judge: (token) =>
      token !== undefined && good.has(token)
        ? 'accept'
        : { status: 401, challenge: 'Bearer error="invalid_token"' },
  })
}

/** A program that prints its nth output at its nth run, with something on stderr. */
function program(home: string, outputs: readonly string[]): { words: string; runs(): number } {
  const script = join(home, 'token program.mjs')
  const count = join(home, 'count')
  writeFileSync(count, '')
  writeFileSync(
    script,
    `import { appendFileSync, readFileSync } from 'node:fs'
const outputs = ${JSON.stringify(outputs)}
const run = readFileSync(${JSON.stringify(count)}).length
appendFileSync(${JSON.stringify(count)}, '.')
const output = outputs[Math.min(run, outputs.length - 1)]
process.stderr.write('fetching $HOME; gave ' + output + '\\n')
process.stdout.write(output)
`,
  )
  return { words: `'${process.execPath}' "${script}"`, runs: () => readFileSync(count).length }
}

const outputOf = (host: Host): string => [host.stderr(), ...host.lines].join('\n')

test('--token-command: run before the first request, again when refused, never written anywhere', async () => {
  const good = new Set(['sentinel-token-one-000'])
  const mcp = await startTaker(good)
  const home = homeFolder()
  const json = JSON.stringify({ access_token: 'sentinel-token-two-000', expires_in: 3600 })
  const { words, runs } = program(home, ['sentinel-token-one-000\n', json])
  const host = startHost(mcp.url, { home, args: ['--token-command', words] })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  host.write(request(1))
  expect(await host.answer(1)).toHaveProperty('result')
  expect(runs()).toBe(1)
  expect(mcp.seen[0]?.headers.authorization).toBe('Bearer sentinel-token-one-000')

  good.clear()
  good.add('sentinel-token-two-000')
  for (const id of [2, 3, 4]) host.write(request(id))
  for (const id of [2, 3, 4]) expect(await host.answer(id)).toHaveProperty('result')
  expect(runs()).toBe(2)

  // The same token once more: said once, not tried for ever.
  good.clear()
  host.write(request(5))
  const { error } = await host.answer(5)
  expect(error?.data).toMatchObject({
    httpStatus: 401,
    hint: expect.stringMatching('token-command'),
  })
  expect(runs()).toBe(3)
  await finish(host)
  expect(host.stderr()).toContain('--token-command: fetching $HOME; gave …')
  expect(outputOf(host)).not.toMatch(/sentinel-token/)
})

test('--token-command: renewed when it has expired; what goes wrong is said', async () => {
  const mcp = await startTaker(new Set(['first', 'second']))
  const home = homeFolder()
  const soon = new Date(Date.now() - 1000).toISOString()
  const outputs = [
    JSON.stringify({ token: 'first', expiry: soon }),
    JSON.stringify({ kind: 'ExecCredential', status: { token: 'second' } }),
  ]
  const { words, runs } = program(home, outputs)
  const host = startHost(mcp.url, { home, args: ['--token-command', words] })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  host.write(request(1))
  expect(await host.answer(1)).toHaveProperty('result')
  expect(runs()).toBe(2)
  for (const [command, message] of [
    ['["no-such-program-anywhere"]', /could not be run \(ENOENT\)/],
    [`'${process.execPath}' -e 'process.exit(3)'`, /failed \(3\)/],
    [`'${process.execPath}' -e 'console.log(1,2)'`, /printed no token/],
    [`'${process.execPath}' -e 'for(;;)process.stdout.write("x".repeat(99999))'`, /more than any/],
  ] as const) {
    const failing = startHost(mcp.url, { args: ['--token-command', command] })
    failing.write(initialize(0))
    expect((await failing.answer(0)).error?.message).toMatch(message)
  }
})
