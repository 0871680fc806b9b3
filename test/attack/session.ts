import { DoesNotApply, type Stage } from './attack.ts'
import type { Program, StartOptions } from './program.ts'
import { initialize, type Message } from '../support/bridge.ts'
import type { TestServer } from '../support/http-server.ts'
import { until } from '../support/until.ts'
import { type Behaviour, type Handler, startMcpServer } from '../support/mcp-server.ts'

/** The text that a hostile server wants on a terminal: a title, a link, a cleared screen, a false line. */
export const ESCAPES =
  'MARK\u001b]0;owned\u0007\u001b]8;;https://evil.example\u0007x\u001b]8;;\u0007\u001b[2J\u009b31m\u202e\u2028\r\nall is well\u0000\u200f'

/** What a hostile server can put into such a text, line feeds aside. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029]/u

/** A request as a host makes it. */
export function request(
  id: unknown,
  method = 'tools/call',
  params: object = { name: 'x' },
): object {
  return { jsonrpc: '2.0', id, method, params }
}

/** Starts the program against a server and initializes it. */
export async function open(stage: Stage, url: string, options?: StartOptions): Promise<Program> {
  const program = stage.start(url, options)
  program.write(initialize(0))
  const ending = await program.ending(0, 20_000)
  if (ending !== 'result')
    throw new DoesNotApply(`no session with a good server: ${program.stderr().slice(-200)}`)
  program.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return program
}

/** A session with a server that is good but for what the row takes over. */
export interface Session {
  readonly program: Program
  readonly server: TestServer
}

/** Opens a session and calls a tool, id 1; `call` is what the server does about it. */
export async function attackCall(
  stage: Stage,
  call: Handler,
  behaviour: Behaviour = {},
): Promise<Session> {
  const server = await startMcpServer({ 'tools/call': call, ...behaviour })
  const program = await open(stage, server.url)
  program.write(request(1))
  return { program, server }
}

/** The session goes on: a later request gets its result. */
export async function lives(program: Program, id: unknown = 'later'): Promise<void> {
  program.write(request(id, 'ping', {}))
  const answer = await program.answer(id)
  if (!('result' in answer)) throw new Error(`after it, a ping got ${JSON.stringify(answer.error)}`)
}

/** The answer to a call that cannot succeed: one error that a person can read. */
export async function failsReadably(program: Program, id: unknown, ms?: number): Promise<Message> {
  const answer = await program.answer(id, ms)
  const { message } = answer.error ?? {}
  if (message === undefined) throw new Error('the host got a result')
  if (message.length > 1_000)
    throw new Error(`the error's message has ${message.length} characters`)
  if (CONTROLS.test(message)) throw new Error("the error's message has control characters")
  return answer
}

/**
 * The host gets no session. A program that answers `initialize` while a person signs in does not get
 * through with the first call either.
 */
export async function getsNothing(program: Program, ms = 25_000): Promise<void> {
  if ((await program.ending(0, ms)) !== 'result') return
  program.write(request('first call'))
  const ending = await program.ending('first call', ms)
  const failed = program.answers('first call')[0]?.result?.['isError'] === true
  check(ending !== 'result' || failed, 'the host got a result')
}

/** What a server said cannot speak to the terminal. */
export function checkTerminal(program: Program): void {
  for (const line of program.stderr().split('\n')) {
    if (CONTROLS.test(line))
      throw new Error(`stderr has control characters: ${JSON.stringify(line)}`)
    if (line.startsWith('all is well')) throw new Error('stderr has a line that the server wrote')
  }
}

/** Fails the row unless a condition holds. */
export function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}

/** Waits this long while nothing may happen: what the row is about would have happened by then. */
export function settle(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** Less than a row may take, so that its failure says what was waited for. */
const REACTION_MS = 20_000

/** Waits for something that a program does. */
export const waitFor: typeof until = (what, look, options) =>
  until(what, look, { ms: REACTION_MS, ...options })
