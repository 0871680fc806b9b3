import type { ServerResponse } from 'node:http'
import { initialize } from '../../support/bridge.ts'
import { json } from '../../support/http-server.ts'
import { event, result, startMcpServer, stream } from '../../support/mcp-server.ts'
import { type Attack, ENDLESS, type Group, PATIENT } from '../attack.ts'
import { bomb, type Flood, pump } from '../floods.ts'
import {
  attackCall,
  check,
  checkTerminal,
  ESCAPES,
  failsReadably,
  lives,
  open,
  request,
  waitFor,
} from '../session.ts'

const MIB = 1024 * 1024

/** More than any message may have, and than the memory that is allowed. */
const FLOOD_MIB = 8 * 1024

/** Unpacked size of a bomb, twice the memory that is allowed; packed it is small enough to be taken whole. */
const BOMB_MIB = 2 * 1024

/** One message without an end, in every way in which one can arrive. */
const ENDLESS_BODIES: readonly {
  name: string
  attack: string
  flood: (to: ServerResponse) => Flood
}[] = [
  {
    name: 'endless-json',
    attack: 'An answer is one JSON string that never ends, as fast as it is taken.',
    flood: (to) => {
      to.writeHead(200, { 'content-type': 'application/json' })
      to.write('{"jsonrpc":"2.0","id":1,"result":"')
      return pump(to, Buffer.alloc(MIB, 'x'), FLOOD_MIB)
    },
  },
  {
    name: 'endless-event',
    attack: 'An event stream whose first line never ends.',
    flood: (to) => {
      stream(to, 'data: {"jsonrpc":"2.0","id":1,"result":"')
      return pump(to, Buffer.alloc(MIB, 'x'), FLOOD_MIB)
    },
  },
  {
    name: 'endless-event-of-many-lines',
    attack: 'An event of short lines that never ends.',
    flood: (to) => {
      stream(to)
      return pump(to, Buffer.from(`data: ${'x'.repeat(1_000)}\n`.repeat(1_000)), FLOOD_MIB)
    },
  },
  {
    name: 'endless-event-id',
    attack: 'An event whose id never ends.',
    flood: (to) => {
      stream(to, 'id: ')
      return pump(to, Buffer.alloc(MIB, 'x'), FLOOD_MIB)
    },
  },
  {
    name: 'gzip-bomb',
    attack: 'A small answer that unpacks to gigabytes (gzip).',
    flood: (to) => bomb(to, 'gzip', 'application/json', BOMB_MIB),
  },
  {
    name: 'brotli-bomb',
    attack: 'A small answer that unpacks to gigabytes (brotli).',
    flood: (to) => bomb(to, 'br', 'application/json', BOMB_MIB),
  },
  {
    name: 'gzip-bomb-in-a-stream',
    attack: 'A small event stream that unpacks to one line of gigabytes.',
    flood: (to) => bomb(to, 'gzip', 'text/event-stream', BOMB_MIB),
  },
]

const endless: readonly Attack[] = ENDLESS_BODIES.map(({ name, attack, flood }) => ({
  name,
  attack,
  expectation:
    'The call ends with a readable error, the connection is given up, the session goes on.',
  bounds: ENDLESS,
  async run(stage) {
    let flooding: Flood | undefined
    const { program } = await attackCall(stage, (_request, response) => {
      flooding = flood(response)
    })
    await failsReadably(program, 1, 45_000)
    await waitFor('the end of the flood', () => flooding?.stopped())
    check((flooding?.sentMiB() ?? 0) < FLOOD_MIB, 'all of it was taken')
    await lives(program)
  },
}))

/** Bodies that are no JSON, or no single line of it. */
const MALFORMED: readonly { name: string; attack: string; body: string | Buffer }[] = [
  {
    name: 'invalid-utf-8',
    attack: 'An answer whose text is not UTF-8.',
    body: Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"text":"\xff\xc3("}}', 'latin1'),
  },
  {
    name: 'raw-nul',
    attack: 'An answer with NUL bytes inside and around it.',
    body: '\0{"jsonrpc":"2.0","id":1,"result":{"text":"a\0b"}}\0',
  },
  {
    name: 'raw-escapes',
    attack: 'An answer with terminal escapes as raw bytes inside a string.',
    body: `{"jsonrpc":"2.0","id":1,"result":{"text":"${ESCAPES}"}}`,
  },
  {
    name: 'byte-order-mark',
    attack: 'An answer behind a byte order mark.',
    body: '\ufeff{"jsonrpc":"2.0","id":1,"result":{}}',
  },
  {
    name: 'trailing-message',
    attack: 'A second message behind the answer, on a line of its own.',
    body: '{"jsonrpc":"2.0","id":1,"result":{}}\n{"jsonrpc":"2.0","method":"smuggled"}',
  },
  {
    name: 'half-message',
    attack: 'An answer that stops in the middle, its length announced as such.',
    body: '{"jsonrpc":"2.0","id":1,"result":{"content":[',
  },
  { name: 'not-an-object', attack: 'An answer that is only a number.', body: '42' },
  { name: 'null-answer', attack: 'An answer that is null.', body: 'null' },
  {
    name: 'array-bomb',
    attack: 'A batch of 100,000 empty objects as an answer.',
    body: `[${'{},'.repeat(99_999)}{}]`,
  },
  {
    name: 'open-brackets',
    attack: 'A million opening brackets.',
    body: '['.repeat(1_000_000),
  },
]

const malformed: readonly Attack[] = MALFORMED.map(({ name, attack, body }) => ({
  name,
  attack,
  expectation:
    'The call is answered once; nothing but JSON-RPC reaches stdout, nothing unclean stderr, no smuggled message the host; the session goes on.',
  async run(stage) {
    const { program } = await attackCall(stage, (_request, response) => json(response, body))
    await program.answer(1)
    await lives(program)
    check(program.answers(1).length === 1, 'the call was answered more than once')
    check(!program.lines().some((line) => line.includes('smuggled')), 'the host got the second one')
    checkTerminal(program)
  },
}))

/** Answers of a person's server in which somebody else had a hand. */
const deep: Attack = {
  name: 'deep-nesting',
  attack: 'A result that nests 100,000 arrays.',
  expectation: 'The call is answered, and the session goes on.',
  async run(stage) {
    const nested = '['.repeat(100_000) + ']'.repeat(100_000)
    const { program } = await attackCall(stage, (_request, response) =>
      json(response, `{"jsonrpc":"2.0","id":1,"result":{"nested":${nested}}}`),
    )
    await waitFor('an answer', () => program.lines().length > 1 || program.hasEnded())
    await lives(program)
  },
}

const prototype: Attack = {
  name: 'prototype-pollution',
  attack: 'Results and tools with members named `__proto__`, `constructor` and `prototype`.',
  expectation: 'They arrive at the host unchanged and change nothing.',
  async run(stage) {
    const poison =
      '{"__proto__":{"polluted":1,"method":"evil"},"constructor":{"prototype":{"polluted":1}},"prototype":{}}'
    const server = await startMcpServer({
      'tools/call': ({ message }, response) =>
        json(response, `{"jsonrpc":"2.0","id":${String(message?.id)},"result":${poison}}`),
      'tools/list': (_request, response) =>
        json(
          response,
          `{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"__proto__","inputSchema":${poison}},{"name":"constructor","inputSchema":{"type":"object"}}]}}`,
        ),
    })
    const program = await open(stage, server.url)
    program.write(request(1))
    program.write(request(2, 'tools/list', {}))
    await program.answer(1)
    await program.answer(2)
    program.write(`{"jsonrpc":"2.0","id":3,"method":"ping","params":${poison}}`)
    await program.answer(3)
    for (const id of [1, 2]) {
      const line = program
        .lines()
        .find((text) => text.includes(`"id":${id}`) && text.includes('polluted'))
      check(line?.includes(poison) === true, `the answer to ${id} was changed: ${String(line)}`)
    }
    const sent = server.seen.find(({ message }) => message?.method === 'ping')
    check(sent?.body.includes(poison) === true, `the request was changed: ${String(sent?.body)}`)
    await lives(program)
  },
}

const answers: readonly Attack[] = [
  {
    name: 'answered-twice',
    attack: 'A server answers one request three times.',
    expectation: 'The host gets one answer.',
    async run(stage) {
      const { program } = await attackCall(stage, (asked, response) => {
        stream(
          response,
          ...['first', 'second', 'third'].map((text) => event(result(asked, { text }))),
        )
        response.end()
      })
      await program.answer(1)
      await lives(program)
      check(program.answers(1).length === 1, `the host got ${program.answers(1).length} answers`)
    },
  },
  {
    name: 'unasked-answers',
    attack: 'A server answers requests that nobody made, under ids like those of requests.',
    expectation: 'The host gets only answers to what it asked, each its own.',
    async run(stage) {
      const forged = ['"1"', '999', '"__proto__"', '-1', '{"a":1}', '[1]', 'true']
      const { program } = await attackCall(stage, (asked, response) => {
        const lies = forged.map((id) =>
          event(`{"jsonrpc":"2.0","id":${id},"result":{"forged":true}}`),
        )
        stream(response, ...lies, event(result(asked, { genuine: true })))
        response.end()
      })
      const answer = await program.answer(1)
      await lives(program)
      check(answer.result?.['genuine'] === true, 'a forged answer was taken for the answer')
      const strange = program.lines().find((line) => line.includes('"forged"'))
      check(strange === undefined, `the host got ${String(strange)}`)
    },
  },
  {
    name: 'answer-with-a-huge-id',
    attack: 'A server asks under an id of 1 MiB, and answers under one.',
    expectation: 'The call gets its own answer; a question keeps its id or is refused.',
    async run(stage) {
      const huge = 'i'.repeat(MIB)
      const { program } = await attackCall(stage, (asked, response) => {
        stream(
          response,
          event({ jsonrpc: '2.0', id: huge, method: 'ping' }),
          event({ jsonrpc: '2.0', id: huge, result: {} }),
          event(result(asked)),
        )
        response.end()
      })
      await program.answer(1)
      check(program.answers(huge).length === 0, 'the host got an answer to what it never asked')
      await lives(program)
    },
  },
  {
    name: 'junk-flood',
    attack: 'A server sends 50,000 events that are JSON but no messages.',
    expectation: 'The call is answered, stderr stays bounded, the session goes on.',
    async run(stage) {
      const { program } = await attackCall(stage, (asked, response) => {
        stream(response, event({}).repeat(50_000))
        response.end(event(result(asked)))
      })
      await program.answer(1, 20_000)
      await lives(program)
    },
  },
  {
    name: 'question-flood',
    bounds: PATIENT,
    attack: 'A server asks 25,000 questions at once and never takes an answer.',
    expectation: 'The call is answered, memory stays bounded, the session goes on.',
    async run(stage) {
      const { program } = await attackCall(stage, (asked, response) => {
        stream(response)
        for (let id = 0; id < 25_000; id++) {
          response.write(event({ jsonrpc: '2.0', id: `q${id}`, method: 'roots/list' }))
        }
        response.end(event(result(asked)))
      })
      await program.answer(1, 45_000)
      await lives(program)
    },
  },
  {
    name: 'flood-at-a-slow-host',
    attack: 'A server pushes 200 MiB of notifications while the host does not read.',
    expectation: 'The program slows the server down; memory stays bounded, nothing is lost.',
    async run(stage) {
      const text = 'y'.repeat(1_000)
      const note = Buffer.from(
        event({
          jsonrpc: '2.0',
          method: 'notifications/message',
          params: { level: 'info', data: text },
        }),
      )
      let flood: Flood | undefined
      const { program } = await attackCall(stage, (asked, response) => {
        program.pause()
        stream(response, event(result(asked)))
        flood = pump(response, note, 200)
      })
      await waitFor('the server to be slowed down', async () => {
        const before = flood?.sentMiB()
        await new Promise((resolve) => {
          setTimeout(resolve, 500)
        })
        return before !== undefined && flood?.sentMiB() === before
      })
      check((flood?.sentMiB() ?? 0) < 190, 'all of it was taken')
    },
  },
]

const hosts: readonly Attack[] = [
  {
    name: 'long-line-of-the-host',
    attack: 'The host is made to send a request of 11 MiB.',
    expectation: 'It is relayed or refused with an error; the next request works.',
    async run(stage) {
      const server = await startMcpServer()
      const program = await open(stage, server.url)
      program.write(
        request(1, 'tools/call', { name: 'x', arguments: { text: 'y'.repeat(11 * MIB) } }),
      )
      await program.answer(1)
      await lives(program)
    },
  },
  {
    name: 'broken-lines-of-the-host',
    attack: 'The host writes half a message, binary noise, an empty line and a deep one.',
    expectation: 'The next request works, and nothing of it makes the program fail.',
    async run(stage) {
      const server = await startMcpServer()
      const program = await open(stage, server.url)
      for (const line of ['{"jsonrpc":"2.0","id":1', '', '\0\u0001\u0002', '['.repeat(200_000)]) {
        program.write(line)
      }
      program.write(Buffer.from([0xff, 0xfe, 0x80]))
      await lives(program)
    },
  },
  {
    name: 'message-before-initialize',
    attack: 'A request that was never preceded by `initialize` comes first.',
    expectation: 'It is answered or the program ends; it does not hang, and later requests work.',
    async run(stage) {
      const server = await startMcpServer()
      const program = stage.start(server.url)
      program.write(request(1, 'ping', {}))
      program.write(initialize(0))
      await program.answer(0)
      await program.answer(1)
    },
  },
]

/** What a server says about its failure, for a language model and a person to read. */
const failures: readonly Attack[] = [
  {
    name: 'error-with-escapes',
    attack: 'HTTP 500 with terminal escapes in the body, the content type and the reason.',
    expectation: 'The error is readable; neither it nor stderr has a control character.',
    async run(stage) {
      const { program } = await attackCall(stage, (_request, response) => {
        response.writeHead(500, 'bad \u009b31m', { 'content-type': 'text/plain' }).end(ESCAPES)
      })
      await failsReadably(program, 1, 25_000)
      checkTerminal(program)
      await lives(program)
    },
  },
  {
    name: 'error-page',
    attack: 'HTTP 502 with a page of 1 MiB and a script in it.',
    expectation: 'The error is a sentence: no markup, at most 1,000 characters.',
    async run(stage) {
      const page = `<!DOCTYPE html><html><script>alert(1)</script>${'<p>x</p>'.repeat(MIB / 8)}</html>`
      const { program } = await attackCall(stage, (_request, response) => {
        response.writeHead(502, { 'content-type': 'text/html' }).end(page)
      })
      const { error } = await failsReadably(program, 1, 25_000)
      check(!/<script|<html/i.test(error?.message ?? ''), 'the message has markup')
      await lives(program)
    },
  },
  {
    name: 'error-that-says-unauthorized',
    attack: 'HTTP 500 whose text says "Unauthorized" and "401".',
    expectation: 'No sign-in begins: the call ends with an error, no page is opened.',
    async run(stage) {
      const { program, server } = await attackCall(stage, (_request, response) => {
        response.writeHead(500, { 'content-type': 'text/plain' }).end('Error 401: Unauthorized')
      })
      const before = server.seen.length
      await failsReadably(program, 1, 25_000)
      const asked = server.seen.slice(before).filter(({ path }) => path.includes('.well-known'))
      check(asked.length === 0, `it asked for ${String(asked[0]?.path)}`)
      check(program.links().length === 0, 'a page was opened')
    },
  },
  {
    name: 'request-without-an-answer',
    attack: 'A server takes a request with 202, 204, an empty stream or an empty body.',
    expectation: 'Each of these requests ends with an error.',
    async run(stage) {
      const ways: readonly ((response: ServerResponse) => void)[] = [
        (response) => void response.writeHead(202).end(),
        (response) => void response.writeHead(204).end(),
        (response) => {
          stream(response)
          response.end()
        },
        (response) => json(response, ''),
      ]
      const server = await startMcpServer({
        'tools/call': ({ message }, response) => ways[Number(message?.id) - 1]?.(response),
      })
      const program = await open(stage, server.url)
      for (const id of ways.keys()) program.write(request(id + 1))
      for (const id of ways.keys()) await failsReadably(program, id + 1, 20_000)
    },
  },
]

/** Hostile content in messages, from the server and from the host. */
export const messages: Group = {
  title: 'Messages',
  attacks: [...endless, ...malformed, deep, prototype, ...answers, ...hosts, ...failures],
}
