// @ts-check
/** Which process serves which request of the suite, and where what it says belongs. */
import { startProgram } from './program.mjs'

/** @typedef {import('node:http').ServerResponse} Outgoing */
/** @typedef {import('./program.mjs').Program} Program */
/** @typedef {import('./program.mjs').Message} Message */

const META = '_meta'
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'

/**
 * A request that is not answered yet.
 *
 * @typedef {{ response: Outgoing, request: Message }} Open
 */

/**
 * One process and the HTTP responses that wait for what it says.
 *
 * @typedef {object} Seat
 * @property {Program} program
 * @property {Map<string, Open>} open Requests by the JSON of their id.
 * @property {Outgoing | undefined} listening The stream that a GET has opened.
 * @property {string[]} unheard What was said while nobody listened.
 * @property {string | undefined} capabilities What the host's requests have declared so far.
 * @property {Set<unknown>} states Every `requestState` that it has given.
 */

/**
 * @typedef {object} Seats
 * @property {() => Seat} take A process for a session.
 * @property {(message: Message) => Seat} of The process of the host that such a request comes from.
 * @property {(seat: Seat) => boolean} has Whether its process still runs.
 * @property {() => Promise<void>} end
 */

/**
 * @param {() => import('node:child_process').ChildProcessWithoutNullStreams} start
 * @param {{ said(seat: Seat, text: string, message: Message): void, ended(seat: Seat): void }} on
 * @returns {Seats}
 */
export function openSeats(start, on) {
  /** @type {Set<Seat>} */
  const seats = new Set()
  // Some scenarios wait half a second for an answer: the next process is started before it is needed.
  let spare = make()

  /** @returns {Seat} */
  function make() {
    /** @type {Seat} */
    const seat = {
      program: startProgram(start, {
        said: (text, message) => on.said(seat, text, message),
        ended: () => {
          seats.delete(seat)
          on.ended(seat)
        },
      }),
      open: new Map(),
      listening: undefined,
      unheard: [],
      capabilities: undefined,
      states: new Set(),
    }
    seats.add(seat)
    return seat
  }

  function take() {
    const taken = seats.has(spare) ? spare : make()
    spare = make()
    return taken
  }

  return {
    take,
    of({ id, params }) {
      const declared = JSON.stringify(params?.[META]?.[CAPABILITIES])
      const state = params?.['requestState']
      const running = [...seats].filter((seat) => seat !== spare && seat.capabilities !== undefined)
      const taken =
        running.find(({ states }) => states.has(state)) ??
        running.find(
          ({ capabilities, open }) =>
            (declared ?? capabilities) === capabilities && !open.has(JSON.stringify(id)),
        ) ??
        take()
      taken.capabilities ??= declared ?? '{}'
      return taken
    },
    has: (seat) => seats.has(seat),
    async end() {
      await Promise.all([...seats].map(({ program }) => program.end()))
    },
  }
}

/**
 * Where a message belongs that is no answer. Stdio has one pipe for all; the message says it itself
 * when it belongs to a subscription or reports progress, and else the latest call is meant.
 *
 * @param {Seat} seat
 * @param {Message} message
 * @returns {Outgoing | undefined}
 */
export function streamOf(seat, { method, params }) {
  const open = [...seat.open.values()]
  const subscription = params?.[META]?.[SUBSCRIPTION]
  if (subscription !== undefined) {
    return open.find(({ request }) => String(request.id) === String(subscription))?.response
  }
  const token = method === 'notifications/progress' ? params?.['progressToken'] : undefined
  const reported = open.find(
    ({ request }) => token !== undefined && request.params?.[META]?.['progressToken'] === token,
  )
  const call = open.findLast(({ request }) => request.method !== 'subscriptions/listen')
  return (reported ?? call)?.response ?? seat.listening
}
