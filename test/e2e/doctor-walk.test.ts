import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stubBrowser, visit } from '../auth/browser-stub.ts'
import { homeFolder } from '../auth/home.ts'
import { startWorld } from '../auth/world.ts'
import { initialize, startBridge } from '../support/bridge.ts'
import { makeAuthority } from '../support/certificate.ts'
import { runCommand } from '../support/command.ts'
import { initializeResult, json, startServer } from '../support/http-server.ts'
import { startLogin } from '../support/login.ts'

interface Told {
  readonly id: string
  readonly level: string
  readonly code: string
  readonly fix: string | null
}

/** What a new user has: an address, options, a machine. */
interface Setting {
  url: string
  args: string[]
  readonly home: string
  readonly env?: NodeJS.ProcessEnv
}

/** What fails, first things first. */
async function failures({ url, args, home, env }: Setting): Promise<Told[]> {
  const said = await runCommand(['doctor', url, ...args, '--json'], { home, ...(env && { env }) })
  const { checks } = JSON.parse(said.stdout) as { checks: Told[] }
  const failed = checks.filter(({ level }) => level === 'fail')
  expect(said.code).toBe(failed.length === 0 ? 0 : 1)
  return failed
}

/** Does what a fix says, knowing nothing else. */
async function apply(fix: string, setting: Setting): Promise<void> {
  const added = /^Add to the arguments: (.+)$/.exec(fix)
  const command = /^bridge (doctor|login) (\S+)(.*)$/.exec(fix)
  if (added !== null) {
    setting.args.push(...added[1]!.split(' '))
  } else if (command?.[1] === 'doctor') {
    setting.url = command[2]!
  } else if (command?.[1] === 'login') {
    const { home, env } = setting
    const args = command[3]!.split(' ').filter((word) => word !== '')
    const login = startLogin(command[2]!, {
      home,
      args: [...args, ...setting.args],
      ...(env && { env }),
    })
    await visit(await login.link())
    expect(await login.exit()).toBe(0)
  } else {
    throw new Error(`nobody can apply this: ${fix}`)
  }
}

/** Asks the doctor and does what it says until nothing fails; gives the codes on the way. */
async function walk(setting: Setting): Promise<string[]> {
  const codes: string[] = []
  for (let step = 0; step < 5; step++) {
    const [first] = await failures(setting)
    if (first === undefined) return codes
    codes.push(first.code)
    await apply(first.fix ?? '', setting)
  }
  throw new Error(`the doctor leads nowhere: ${codes.join(', ')}`)
}

/** The host gets its answer now. */
async function works({ url, args, home, env }: Setting): Promise<void> {
  const bridge = startBridge(url, { home, args, ...(env && { env }) })
  bridge.write(initialize(0))
  expect(await bridge.answer(0)).toHaveProperty('result.serverInfo')
  bridge.end()
  await bridge.exit()
}

test('a wrong URL, then the sign-in, then a registration that the server has forgotten', async () => {
  const world = await startWorld()
  const { env } = stubBrowser()
  const setting = { url: `${world.mcp.origin}/wrong`, args: [], home: homeFolder(), env }
  expect(await walk(setting)).toEqual(['wrong_path', 'sign_in_needed'])
  expect(setting.url).toBe(world.mcp.url)
  await works(setting)
  world.authority.revokeAll()
  world.authority.forgetClients()
  expect(await walk(setting)).toEqual(['registration_dead'])
  await works(setting)
})

test('a certificate that only the system knows', async () => {
  const authority = makeAuthority('Example Corp CA')
  const server = await startServer(
    ({ message, method }, response) => {
      if (method !== 'POST') response.writeHead(405).end()
      else json(response, initializeResult(message?.id))
    },
    { tls: authority.issue('127.0.0.1') },
  )
  const home = homeFolder()
  const file = join(home, 'system.pem')
  writeFileSync(file, authority.cert)
  const setting = { url: server.url, args: [], home, env: { SSL_CERT_FILE: file } }
  expect(await walk(setting)).toEqual(['private_authority'])
  expect(setting.args).toEqual(['--use-system-ca'])
  await works(setting)
})

test('a token in the configuration of a host, and an old package', async () => {
  const server = await startServer(({ message, method, headers }, response) => {
    if (headers.authorization !== 'Bearer s3cret') response.writeHead(401).end()
    else if (method !== 'POST') response.writeHead(405).end()
    else json(response, initializeResult(message?.id))
  })
  const person = homeFolder()
  const asPerson = { env: { HOME: person, USERPROFILE: person } }
  const file = join(person, '.cursor', 'mcp.json')
  mkdirSync(join(person, '.cursor'))
  type Entry = { command: string; args: string[]; env?: Record<string, string> }
  const write = (entry: Entry): void =>
    writeFileSync(file, JSON.stringify({ mcpServers: { docs: entry } }))
  const entry = (): Entry =>
    (JSON.parse(readFileSync(file, 'utf8')) as { mcpServers: { docs: Entry } }).mcpServers.docs
  const header = ['--header', 'Authorization:Bearer s3cret']
  write({ command: 'npx', args: ['-y', 'mcp-remote', server.url, ...header] })
  const look = async (): Promise<Told> => {
    const said = await runCommand(['doctor', '--json'], asPerson)
    const { checks } = JSON.parse(said.stdout) as { checks: Told[] }
    return checks.find(({ id }) => id === 'hosts')!
  }

  const secret = await look()
  expect(secret).toMatchObject({ level: 'fail', code: 'secret_in_arguments' })
  // "--header", "<argument>" and "env": { "<variable>": … }: what stood behind the colon goes there.
  const [, argument, variable] = /"--header", ("[^"]+") and "env": \{ "(\w+)"/.exec(secret.fix!)!
  const before = entry()
  const at = before.args.indexOf('--header') + 1
  const value = before.args[at]!.split(':', 2)[1]!
  const args = before.args.with(at, JSON.parse(argument!) as string)
  write({ ...before, args, env: { [variable!]: value } })

  const old = await look()
  expect(old).toMatchObject({ level: 'warn', code: 'mcp_remote_entry' })
  expect(old.fix).toBe('bridge migrate cursor')
  expect(await runCommand(['migrate', 'cursor'], asPerson)).toMatchObject({ code: 0 })
  expect(await look()).toMatchObject({ level: 'ok' })

  const { args: words, env } = entry()
  expect(words[1]).toMatch(/^mcp-bridge@\d/)
  const [url, ...options] = words.slice(2)
  await works({ url: url!, args: options, home: homeFolder(), env: env! })
})
