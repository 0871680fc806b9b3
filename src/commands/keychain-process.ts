import { createInterface } from 'node:readline'
import type { Answer, Question } from '../store/keychain-link.ts'

/** The package that knows the keychains of macOS, Windows and Linux: installed by who wants it. */
const KEYRING = ['@napi-rs', 'keyring'].join('/')

/** How the entries are listed in the system's own program for keychains. */
const SERVICE = 'mcp-bridge'

/** What of the package is used. */
interface Entry {
  getPassword(): string | null
  setPassword(text: string): void
  deletePassword(): boolean
}

type NewEntry = new (service: string, account: string, options: object) => Entry

/**
 * Without this the package takes the kernel's keyring where there is no Secret Service: that one
 * forgets everything with the next start of the machine.
 */
const OPTIONS = { linux: { store: 'secret-service' } }

/** Answers questions about the keychain, a line each, until stdin ends. */
export async function serveKeychain(process: NodeJS.Process): Promise<number> {
  // Ctrl-C reaches all processes of a terminal; this one ends with its parent.
  process.on('SIGINT', () => {})
  const open = await opener()
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(answer(open, JSON.parse(line) as Question))}\n`)
  }
  return 0
}

/** Makes entries, or says why there can be none. */
type Opener = ((account: string) => Entry) | { readonly error: string }

async function opener(): Promise<Opener> {
  let found: { Entry?: unknown; default?: { Entry?: unknown } }
  try {
    found = (await import(KEYRING)) as typeof found
  } catch (error) {
    const missing = /^(ERR_)?MODULE_NOT_FOUND$/.test((error as NodeJS.ErrnoException).code ?? '')
    const hint = `the package ${KEYRING} is not installed beside mcp-bridge`
    return { error: missing ? hint : `${KEYRING} could not be loaded` }
  }
  const made = found.Entry ?? found.default?.Entry
  if (typeof made !== 'function' || !isEntry(made.prototype)) {
    return { error: `the installed ${KEYRING} is not of a known version` }
  }
  return (account) => new (made as NewEntry)(SERVICE, account, OPTIONS)
}

function isEntry(prototype: unknown): boolean {
  const methods = ['getPassword', 'setPassword', 'deletePassword'] as const
  const entry = prototype as Partial<Record<string, unknown>> | null | undefined
  return methods.every((name) => typeof entry?.[name] === 'function')
}

function answer(open: Opener, { account, write }: Question): Answer {
  if (typeof open !== 'function') return open
  try {
    const entry = open(account)
    if (write === undefined) return { value: entry.getPassword() }
    if (write === null) entry.deletePassword()
    else entry.setPassword(write)
    return { value: null }
  } catch (error) {
    // Not with what the package says beyond its first line: it may quote.
    const [reason = ''] = String((error as Error).message).split('\n', 1)
    return { error: reason.slice(0, 200) }
  }
}
