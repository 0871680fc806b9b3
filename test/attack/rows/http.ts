import { initialize } from '../../support/bridge.ts'
import { initializeResult, json, startServer } from '../../support/http-server.ts'
import { reset, result, startMcpServer, stream } from '../../support/mcp-server.ts'
import { type Attack, DoesNotApply, type Group, PATIENT } from '../attack.ts'
import { drip } from '../floods.ts'
import {
  attackCall,
  check,
  failsReadably,
  lives,
  open,
  request,
  settle,
  waitFor,
} from '../session.ts'

/** What a server writes to the connection in the place of a response. */
const RAW: readonly { name: string; attack: string; write: string[] }[] = [
  { name: 'not-http', attack: 'The server answers in another protocol.', write: ['SSH-2.0-x\r\n'] },
  {
    name: 'header-flood',
    attack: 'Response headers of 10 MiB.',
    write: ['HTTP/1.1 200 OK\r\n', `x-a: ${'y'.repeat(10 * 1024 * 1024)}\r\n\r\n{}`],
  },
  {
    name: 'header-count-flood',
    attack: 'A hundred thousand response headers.',
    write: [
      'HTTP/1.1 200 OK\r\n',
      Array.from({ length: 100_000 }, (_, n) => `x-${n}: y\r\n`).join(''),
      '\r\n{}',
    ],
  },
  {
    name: 'bare-cr-in-a-header',
    attack: 'A session id with a bare CR and what looks like another header.',
    write: [
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: a\rx-evil: 1\r\n',
      'content-length: 36\r\n\r\n{"jsonrpc":"2.0","id":1,"result":{}}',
    ],
  },
  {
    name: 'bad-chunks',
    attack: 'A chunk whose length is no number.',
    write: [
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
      '-1\r\n{}\r\n0\r\n\r\n',
    ],
  },
  {
    name: 'early-close',
    attack: 'The connection ends in the middle of an answer of known length.',
    write: [
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{"jsonrpc"',
    ],
  },
  {
    name: 'endless-encodings',
    attack: 'A body that claims a hundred layers of compression.',
    write: [
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: ${'gzip, '.repeat(99)}gzip\r\n`,
      'content-length: 2\r\n\r\n{}',
    ],
  },
]

const raw: readonly Attack[] = RAW.map(({ name, attack, write }) => ({
  name,
  attack,
  expectation: 'The call ends, no header is smuggled into later requests, the session goes on.',
  async run(stage) {
    const { program, server } = await attackCall(stage, (_request, response) => {
      const { socket } = response
      for (const text of write) socket?.write(text, 'latin1')
      socket?.end()
    })
    await program.answer(1, 25_000)
    await lives(program)
    check(!server.seen.some(({ headers }) => 'x-evil' in headers), 'a header was smuggled')
  },
}))

const wire: readonly Attack[] = [
  {
    name: 'informational-flood',
    attack: 'Twenty thousand 103 responses come before the answer.',
    expectation: 'The call ends, memory stays bounded, the session goes on.',
    async run(stage) {
      const { program } = await attackCall(stage, (asked, response) => {
        response.socket?.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(20_000))
        json(response, result(asked))
      })
      await program.answer(1)
      await lives(program)
    },
  },
  {
    name: 'response-smuggling',
    attack: 'A whole second response follows the first one on the same connection.',
    expectation: 'The next request gets its own answer, never the smuggled one.',
    async run(stage) {
      const forged = '{"jsonrpc":"2.0","id":2,"result":{"forged":true}}'
      const { program } = await attackCall(stage, (asked, response) => {
        json(response, result(asked))
        response.socket?.write(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${forged.length}\r\n\r\n${forged}`,
        )
      })
      await program.answer(1)
      program.write(request(2, 'ping', {}))
      const answer = await program.answer(2)
      check(answer.result?.['forged'] === undefined, 'the host got the smuggled answer')
    },
  },
  {
    name: 'reset',
    attack: 'The connection is reset before, within and after the headers of an answer.',
    expectation: 'Each call ends with an error, the session goes on.',
    async run(stage) {
      const server = await startMcpServer({
        'tools/call': ({ message }, response) => {
          if (message?.id === 1) return reset(response)
          response.writeHead(200, { 'content-type': 'application/json' })
          if (message?.id === 2) response.flushHeaders()
          else response.write('{"jsonrpc":')
          setImmediate(reset, response)
          return undefined
        },
      })
      const program = await open(stage, server.url)
      for (const id of [1, 2, 3]) {
        program.write(request(id))
        await failsReadably(program, id, 25_000)
      }
      await lives(program)
    },
  },
  {
    name: 'slow-drip',
    attack: 'Headers, a body and an event come one byte per moment, without an end.',
    expectation:
      'Other requests are answered meanwhile, and the program ends within 5 s of its host.',
    async run(stage) {
      const server = await startMcpServer({
        'tools/call': ({ message }, response) => {
          const { socket } = response
          if (message?.id === 1) {
            socket?.write('HTTP/1.1 200 OK\r\nx-a: ')
            drip(
              () => socket?.write('y'),
              (listener) => socket?.on('close', listener),
            )
            return
          }
          if (message?.id === 2) response.writeHead(200, { 'content-type': 'application/json' })
          else stream(response, 'data: ')
          drip(
            () => response.write(' '),
            (listener) => response.on('close', listener),
          )
        },
      })
      const program = await open(stage, server.url)
      for (const id of [1, 2, 3]) program.write(request(id))
      await waitFor('all three', () => server.seen.filter(isCall).length === 3)
      await lives(program)
      program.end()
      await program.exit(5_000)
    },
  },
  {
    name: 'hostile-session-id',
    attack: 'The session id has 8 KiB, quotes and characters beyond ASCII.',
    expectation:
      'Later requests carry it unchanged or the session is refused; no other header appears.',
    async run(stage) {
      const id = `"';--\u00ff${'s'.repeat(8_000)}`
      const server = await startMcpServer({
        initialize: ({ message }, response) =>
          json(response, initializeResult(message?.id), { headers: { 'mcp-session-id': id } }),
      })
      const program = stage.start(server.url)
      program.write(initialize(0))
      if ((await program.ending(0)) !== 'result') return
      program.write(request(1, 'ping', {}))
      await program.ending(1)
      const sent = server.seen.slice(1).map(({ headers }) => headers['mcp-session-id'])
      check(
        sent.every((value) => value === undefined || value === id),
        'it was changed',
      )
    },
  },
  {
    name: 'busy-without-end',
    attack: 'Every call is refused with 503 and `Retry-After: 0`.',
    expectation: 'The call ends within 30 s, after at most 200 requests.',
    bounds: PATIENT,
    async run(stage) {
      const { program, server } = await attackCall(stage, (_request, response) => {
        response.writeHead(503, { 'retry-after': '0' }).end()
      })
      await failsReadably(program, 1, 30_000)
      const calls = server.seen.filter(isCall).length
      check(calls <= 200, `${calls} requests`)
    },
  },
  {
    name: 'busy-until-the-end-of-time',
    attack: 'A call is refused with 429 and `Retry-After: 999999999999`.',
    expectation: 'The call ends within 30 s, and the session goes on.',
    bounds: PATIENT,
    async run(stage) {
      const { program } = await attackCall(stage, (_request, response) => {
        response.writeHead(429, { 'retry-after': '999999999999' }).end()
      })
      await failsReadably(program, 1, 30_000)
      await lives(program)
    },
  },
  {
    name: 'streams-that-end-at-once',
    attack: 'Every stream that is opened ends at once, asking to come back after 0 ms.',
    expectation: 'At most 50 requests in 3 s, and the session goes on.',
    async run(stage) {
      const server = await startMcpServer({
        GET: (_request, response) => {
          stream(response, 'retry: 0\n\n')
          response.end()
        },
      })
      const program = await open(stage, server.url)
      await lives(program)
      if (!server.seen.some(({ method }) => method === 'GET'))
        throw new DoesNotApply('it opens no stream')
      await settle(3_000)
      check(server.seen.length <= 50, `${server.seen.length} requests`)
      await lives(program, 'much later')
    },
  },
  {
    name: 'cookie-flood',
    attack: 'Answers set a thousand cookies of 4 KiB, some for other domains.',
    expectation: 'Later requests stay below 16 KiB of headers and work.',
    async run(stage) {
      let set = 0
      const server = await startServer((asked, response) => {
        const { message } = asked
        const cookies = Array.from(
          { length: 3 },
          () => `c${set++}=${'v'.repeat(3_500)}; Domain=example.com; Path=/`,
        )
        cookies.push(`own${set}=${'v'.repeat(500)}; Path=/`)
        const answer =
          message?.method === 'initialize' ? initializeResult(message.id) : result(asked)
        if (message?.id === undefined) response.writeHead(202, { 'set-cookie': cookies }).end()
        else {
          response.writeHead(200, { 'content-type': 'application/json', 'set-cookie': cookies })
          response.end(JSON.stringify(answer))
        }
      })
      const program = await open(stage, server.url)
      for (let id = 1; id <= 50; id++) await lives(program, id)
      const most = Math.max(...server.seen.map(({ headers }) => JSON.stringify(headers).length))
      check(most < 16 * 1024, `${most} bytes of headers`)
    },
  },
]

function isCall({ message }: { message: { method?: string } | undefined }): boolean {
  return message?.method === 'tools/call'
}

/** Hostile use of HTTP by the server, or by what stands before it. */
export const http: Group = { title: 'HTTP', attacks: [...raw, ...wire] }
