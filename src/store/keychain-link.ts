import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { KEYCHAIN_IDLE_MS, KEYCHAIN_MS } from '../limits.ts'

/** One question to the process that talks to the keychain: a line of JSON. */
export interface Question {
  readonly account: string
  /** Absent: read. `null`: delete. */
  readonly write?: string | null
}

/** Its answer, a line of JSON as well: what is there, or why it is not known. */
export type Answer = { readonly value: string | null } | { readonly error: string }

/** The keychain cannot be had, or did not answer; it is said in one clause. */
export class KeychainFailure extends Error {
  override readonly name = 'KeychainFailure'
}

/** Asks the keychain. */
export type Ask = (question: Question) => Promise<string | undefined>

/** The command line that starts the process which talks to the keychain. */
const KEYCHAIN_PROCESS = 'keychain-process'

interface Waiting {
  resolve(value: string | undefined): void
  reject(error: Error): void
}

/**
 * A way to the keychain through a process of its own, started when it is needed. A locked keychain
 * answers when a person has unlocked it, and until then holds a thread that Node waits for even in
 * `process.exit`: another process can be killed.
 */
export function linkToKeychain(
  argv: readonly string[] = [process.argv[1]!, KEYCHAIN_PROCESS],
  waitMs = KEYCHAIN_MS,
): Ask {
  let child: ChildProcess | undefined
  let waiting: Waiting[] = []
  let idle: NodeJS.Timeout | undefined

  function start(): ChildProcess {
    const started = spawn(process.execPath, argv, {
      env: withSessionBus(process.env, `/run/user/${process.getuid?.() ?? ''}/bus`),
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    })
    child = started
    started.unref()
    for (const pipe of [started.stdin, started.stdout]) (pipe as { unref?(): void }).unref?.()
    started.stdin.on('error', () => {}) // told by its end
    createInterface({ input: started.stdout }).on('line', (line) => {
      const next = waiting.shift()
      const answer = parse(line)
      if ('value' in answer) next?.resolve(answer.value ?? undefined)
      else next?.reject(new KeychainFailure(answer.error))
    })
    const gone = (why: string): void => {
      if (child !== started) return
      child = undefined
      for (const { reject } of waiting.splice(0)) reject(new KeychainFailure(why))
    }
    started.once('error', ({ message }) => gone(message))
    started.once('close', () => gone('its process ended unexpectedly'))
    return started
  }

  function giveUp(): void {
    child?.kill('SIGKILL')
    child = undefined
    const why = `it did not answer within ${waitMs / 1000} s; it may be locked`
    for (const { reject } of waiting.splice(0)) reject(new KeychainFailure(why))
  }

  return async (question) => {
    clearTimeout(idle)
    const { stdin } = child ?? start()
    // Not unref'ed: at a start nothing else holds the process while the keychain thinks.
    const timer = setTimeout(giveUp, waitMs)
    try {
      return await new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        stdin!.write(`${JSON.stringify(question)}\n`)
      })
    } finally {
      clearTimeout(timer)
      clearTimeout(idle)
      idle = setTimeout(() => child?.stdin?.end(), KEYCHAIN_IDLE_MS).unref()
    }
  }
}

/**
 * Hosts hand down six variables, and the address of the session bus, where the keychain of Linux is,
 * is not among them: systemd has put it at a known place, which belongs to the user alone.
 */
export function withSessionBus(env: NodeJS.ProcessEnv, socket: string): NodeJS.ProcessEnv {
  const known = env['DBUS_SESSION_BUS_ADDRESS'] !== undefined
  if (known || !existsSync(socket)) return env
  return { ...env, DBUS_SESSION_BUS_ADDRESS: `unix:path=${socket}` }
}

function parse(line: string): Answer {
  try {
    return JSON.parse(line) as Answer
  } catch {
    return { error: 'its process answered something else' }
  }
}
