import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homeFolder, stored } from '../auth/home.ts'
import { finish, signedIn } from '../auth/host.ts'
import { startWorld } from '../auth/world.ts'
import { runCommand } from '../support/command.ts'

test('a server that asks for a sign-in: lines for people, one object for programs, exit code 1', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const said = await runCommand(['doctor', world.mcp.url], { home })
  expect(said.code).toBe(1)
  expect(said.stderr).toBe('')
  expect(said.stdout).toContain('  ✓ Answer: HTTP 401: it asks for a sign-in\n')
  expect(said.stdout).toContain(
    `  ✗ Stored sign-in: nobody has signed in yet [sign_in_needed]\n      bridge login ${world.mcp.url}\n`,
  )
  expect(said.stdout).toMatch(/^\d+ passed, \d+ warnings?, 1 failed, \d+ skipped\./m)
  const json = await runCommand(['doctor', world.mcp.url, '--json'], { home })
  expect(json.code).toBe(1)
  const all = JSON.parse(json.stdout) as { ok: boolean; failed: number; checks: object[] }
  expect(all).toMatchObject({ ok: false, failed: 1 })
  expect(all.checks).toContainEqual(
    expect.objectContaining({ id: 'sign-in', level: 'fail', code: 'sign_in_needed' }),
  )
  // Nothing was made by looking.
  expect(readdirSync(home)).toEqual([])
  expect(world.authority.registrations).toEqual([])
})

test('without a URL only this machine is looked at', async () => {
  const said = await runCommand(['doctor', '--json'])
  const { checks } = JSON.parse(said.stdout) as { checks: { group: string }[] }
  expect(new Set(checks.map(({ group }) => group))).toEqual(new Set(['This machine', 'The hosts']))
})

test('an old Node first in PATH', async () => {
  const folder = homeFolder()
  writeFileSync(join(folder, 'node'), '#!/bin/sh\necho v14.17.0\n')
  chmodSync(join(folder, 'node'), 0o755)
  const PATH = `${folder}:${process.env['PATH']}`
  const said = await runCommand(['doctor'], { env: { PATH } })
  expect(said.code).toBe(1)
  expect(said.stdout).toContain('[node_too_old]')
})

test('a keychain that was chosen and is not there', async () => {
  const env = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' }
  const said = await runCommand(['doctor', '--store', 'keychain'], { env })
  expect(said.code).toBe(1)
  expect(said.stdout).toMatch(/✗ Keychain: .*\[keychain_unreachable\]\n +--store file\n/)
})

test('a report tells no secret, whatever is given and stored', async () => {
  const world = await startWorld({ session: { 'mcp-session-id': 's3ntinel-session' } })
  const first = await signedIn(world)
  await finish(first)
  const kept = JSON.stringify(stored(first.home))
  const secrets = [...kept.matchAll(/"(accessToken|refreshToken|clientId)":"([^"]+)"/g)].map(
    (match) => match[2]!,
  )
  expect(secrets.length).toBeGreaterThanOrEqual(3)
  const person = homeFolder()
  mkdirSync(join(person, '.cursor'))
  const args = ['mcp-remote', 'https://x/mcp', '--header', 'Authorization: Bearer s3ntinel-host']
  const entry = { mcpServers: { docs: { command: 'npx', args } } }
  writeFileSync(join(person, '.cursor', 'mcp.json'), JSON.stringify(entry))
  const setup = {
    home: first.home,
    env: {
      HOME: person,
      HTTPS_PROXY: 'http://s3ntinel-user:s3ntinel-password@127.0.0.1:1',
      BRIDGE_HEADER_X_KEY: 's3ntinel-variable',
      SECRET: 's3ntinel-client-secret',
    },
  }
  const wanted = ['--client-id', 's3ntinel-client', '--client-secret-env', 'SECRET']
  const starts = [
    [world.mcp.url],
    [`${world.mcp.url}?key=s3ntinel-query`, '--header', 'X-Other: s3ntinel-header'],
    ['https://s3ntinel-name:s3ntinel-word@mcp.example/mcp'],
    ['s3ntinel-nonsense'],
    [`${world.mcp.origin}/s/s3ntinel1234567890abcdef/mcp`, ...wanted],
    ['https://mcp.example/mcp?key=s3ntinel-query'],
  ]
  for (const start of starts) {
    const { stdout, stderr } = await runCommand(['doctor', ...start, '--report'], setup)
    expect(stdout).toContain('### mcp-bridge doctor')
    expect(stdout).toContain('secret_in_arguments')
    const told = stdout + stderr
    expect(told).not.toMatch(/s3ntinel/i)
    for (const secret of secrets) expect(told).not.toContain(secret)
    expect(told).not.toContain(person)
  }
})
