import type { Local } from '../channel.ts'
import { openConnection } from '../connection.ts'
import { BridgeError, RelayError } from '../errors.ts'
import { type Frame, withId } from '../frame.ts'
import {
  LAST_ANSWERS_MS,
  MAX_SHOWN_DIFFERENCES,
  REPLAY_ANSWER_MS,
  SESSION_DELETE_MS,
} from '../limits.ts'
import { openLink } from '../link.ts'
import { createLog, printable } from '../log.ts'
import { list, text } from '../option-values.ts'
import { readServerOptions } from '../options.ts'
import { pause } from '../pause.ts'
import { createRelay } from '../relay.ts'
import { createPaint, type Paint } from '../terminal.ts'
import { type Difference, differences, VOLATILE_MEMBERS } from '../trace/compare.ts'
import { readRecording, type Recording } from '../trace/recording.ts'
import type { RunCommand } from './table.ts'

/** Exit code when an answer is another one than it was: the server's matter, like its errors. */
const DIFFERENT = 6

/** Sends what a host has said in a trace to a server, in the same order, and compares the answers. */
export const runReplay: RunCommand = async ({ values, operands }, process) => {
  const [path, ...rest] = operands
  const server = text(values['server'])
  if (path === undefined || rest.length > 0 || server === undefined) {
    const hint = 'Usage: bridge trace replay <file> --server <url>'
    throw new BridgeError('usage', 'Name one trace and one server.', { hint })
  }
  const options = readServerOptions(
    { command: 'trace replay', values, operands: [server] },
    process.env,
    'a person',
  )
  const recording = await readRecording(path)
  const log = createLog(process.stderr, '')
  const paint = createPaint(process.stdout, process.env, values['no-color'] === true)
  const ignored = new Set([...VOLATILE_MEMBERS, ...list(values['ignore'])])
  const outcome = { same: 0, different: 0 }

  const { env } = process
  const connection = await openConnection(options, log, env)
  const { http, authorizer } = connection
  const host = replayedHost(recording, (frame, expected, actual) => {
    const found = actual === undefined ? undefined : differences(expected, actual, ignored)
    if (found?.length === 0) outcome.same++
    else outcome.different++
    process.stdout.write(judgement(frame, found, paint))
  })
  const relay = createRelay(host, log)
  const remote = await openLink({
    options,
    connection,
    // Requests wait for the person as long as it takes: the address is on this terminal.
    authorizer: { ...authorizer, pending: () => undefined },
    log,
    env,
    events: relay.events,
  })
  try {
    await relay.run(remote)
    const closing = new RelayError('The replay is over.', { phase: 'shutdown' })
    await Promise.race([relay.close(remote, closing), pause(LAST_ANSWERS_MS)])
    await Promise.race([remote.close(), pause(SESSION_DELETE_MS)])
  } finally {
    await authorizer.close()
    await http.destroy()
  }
  const { same, different } = outcome
  const { skipped } = recording
  const left = skipped === 0 ? '' : ` Not sent, because masked or cut: ${skipped}.`
  log.warn(`The same answer: ${same}. Another one: ${different}.${left}`)
  return different === 0 ? 0 : DIFFERENT
}

/** A host that says what was recorded, one request after the answer to the one before. */
function replayedHost(
  { sayings, repliesTo }: Recording,
  answered: (request: Frame, expected: string, actual: string | undefined) => void,
): Local {
  const waiting = new Map<string, (answer: string) => void>()
  let say: (frame: Frame) => void = () => {}
  return {
    send(frame) {
      if (frame.kind === 'response') {
        waiting.get(frame.id ?? '')?.(Buffer.concat([...frame.chunks]).toString('utf8'))
      } else if (frame.kind === 'request') {
        const reply = repliesTo.get(frame.method!)?.shift()
        if (reply !== undefined) say(withId(reply, frame.id!))
      }
      return undefined
    },
    async read(onLine) {
      say = (frame) => void onLine({ kind: 'frame', frame })
      for (const { frame, answer } of sayings) {
        const { id } = frame
        if (id === undefined) {
          await onLine({ kind: 'frame', frame })
          continue
        }
        const came = new Promise<string | undefined>((resolve) => {
          waiting.set(id, resolve)
          setTimeout(resolve, REPLAY_ANSWER_MS, undefined).unref()
        })
        await onLine({ kind: 'frame', frame })
        const actual = await came
        waiting.delete(id)
        if (answer !== undefined) answered(frame, answer, actual)
      }
    },
    ended: new Promise(() => {}),
    broken: new Promise(() => {}),
    flush: () => Promise.resolve(),
  }
}

function judgement(
  { method, id }: Frame,
  found: readonly Difference[] | undefined,
  { green, red, dim }: Paint,
): string {
  const name = printable(`${method} #${id}`)
  if (found === undefined) return `${red('≠')} ${name}  ${red('no answer')}\n`
  if (found.length === 0) return `${green('=')} ${name}\n`
  const lines = found.slice(0, MAX_SHOWN_DIFFERENCES).map(({ path, expected, actual }) => {
    const values = `${red(shown(expected))} ${dim('→')} ${green(shown(actual))}`
    return `    ${printable(path === '' ? 'answer' : path)}: ${values}\n`
  })
  const more = found.length - lines.length
  if (more > 0) lines.push(`    ${dim(`and ${more} more`)}\n`)
  return `${red('≠')} ${name}\n${lines.join('')}`
}

const MAX_SHOWN_CHARS = 120

function shown(source: string | undefined): string {
  if (source === undefined) return 'nothing'
  const line = printable(source)
  return line.length <= MAX_SHOWN_CHARS ? line : `${line.slice(0, MAX_SHOWN_CHARS - 1)}…`
}
