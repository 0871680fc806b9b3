import type { ChildProcess } from 'node:child_process'
import { Client as ClientV2, type ClientOptions } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { Tapped } from './tap-server.ts'

/** A notification as both SDKs hand it over. */
interface Note {
  readonly method: string
  readonly params?: Record<string, unknown> | undefined
}

/** What the tests need of a client, whichever SDK it comes from. */
export interface Peer {
  readonly client: ClientV2
  /** Every notification that no other handler takes, in order. */
  readonly notes: readonly Note[]
  /** The requests of the server that the client has answered, by method. */
  readonly asked: readonly string[]
  /** Everything that the client has sent and received, in order. */
  readonly messages: readonly Tapped[]
  /** Sends a line that no SDK would write. */
  write(line: string): void
  close(): Promise<void>
}

/** How a client starts the bridge. */
export interface ClientStart {
  readonly sdk: 'v1' | 'v2'
  /** Only SDK v2 knows of eras. */
  readonly versionNegotiation?: NonNullable<ClientOptions['versionNegotiation']>
  /** The packed bridge. */
  readonly bin: string
  readonly url: string
  /** `BRIDGE_HOME`. */
  readonly home: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Hears of the first result, before the client does. */
  readonly onFirstResult?: () => void
}

const INFO = { name: 'peer', version: '1.0.0' }
const CAPABILITIES = {
  sampling: {},
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
}

/** The client's answers to the server's requests. */
const ANSWERS = {
  sampling: {
    model: 'model-1',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: 'sampled text' },
  },
  form: { action: 'accept' as const, content: { name: 'Ada', integer: 7, confirmed: true } },
  url: { action: 'accept' as const },
  roots: { roots: [{ uri: 'file:///home/one', name: 'one' }] },
}

/** An SDK's client over its own stdio transport, with the packed bridge as its server. */
export async function openClient(start: ClientStart): Promise<Peer> {
  const asked: string[] = []
  const elicit = ({ params }: { params: object }) => {
    asked.push('elicitation/create')
    return 'url' in params ? ANSWERS.url : ANSWERS.form
  }
  const sample = () => {
    asked.push('sampling/createMessage')
    return ANSWERS.sampling
  }
  const roots = () => {
    asked.push('roots/list')
    return ANSWERS.roots
  }
  const { bin, url, args = [], home } = start
  const env = { PATH: process.env['PATH'] ?? '', BRIDGE_HOME: home, ...start.env }
  const argv = [bin, url, ...args]
  const parameters = { command: process.execPath, args: argv, env, stderr: 'inherit' as const }
  if (start.sdk === 'v2') {
    const { versionNegotiation = {} } = start
    const client = new ClientV2(INFO, { capabilities: CAPABILITIES, versionNegotiation })
    client.setRequestHandler('sampling/createMessage', sample)
    client.setRequestHandler('elicitation/create', elicit)
    client.setRequestHandler('roots/list', roots)
    const transport = new StdioV2(parameters)
    return connect(client, transport, () => client.connect(transport), asked, start)
  }
  const client = new ClientV1(INFO, { capabilities: CAPABILITIES })
  client.setRequestHandler(CreateMessageRequestSchema, sample)
  client.setRequestHandler(ElicitRequestSchema, elicit)
  client.setRequestHandler(ListRootsRequestSchema, roots)
  const transport = new StdioV1(parameters)
  // `callTool` takes the options in another place; everything else that is used is the same.
  const call = client.callTool.bind(client)
  const callTool = (params: never, options: never) => call(params, undefined, options)
  Object.assign(client, { callTool })
  const same = client as unknown as ClientV2
  return connect(same, transport, () => client.connect(transport), asked, start)
}

async function connect(
  client: ClientV2,
  transport: object,
  open: () => Promise<void>,
  asked: string[],
  { onFirstResult = () => {} }: ClientStart,
): Promise<Peer> {
  const notes: Note[] = []
  client.fallbackNotificationHandler = (note) => {
    notes.push(note)
    return Promise.resolve()
  }
  const { messages, write } = listen(transport as Transport, onFirstResult)
  await open()
  return { client, notes, asked, messages, write, close: () => client.close() }
}

/** A private member: what the SDK parses into doubles can be seen nowhere else as it came. */
const PROCESS = '_process'

/** What the transports of both SDKs have in common. */
interface Transport {
  start(): Promise<void>
  send(message: never): Promise<void>
  readonly [PROCESS]: ChildProcess
}

/** Notes what passes. No subclass: SDK v2 probes differently for those. */
function listen(target: Transport, onFirstResult: () => void) {
  const messages: Tapped[] = []
  const note = (from: Tapped['from'], text: string): void => {
    const message = JSON.parse(text) as Record<string, unknown>
    const isFirst = from === 'server' && message['result'] !== undefined
    if (isFirst && !messages.some((known) => known.message['result'] !== undefined)) onFirstResult()
    messages.push({ from, message, text })
  }
  const start = target.start.bind(target)
  const send = target.send.bind(target)
  Object.assign(target, {
    async start() {
      await start()
      let rest = ''
      const decoder = new TextDecoder()
      // Before the SDK, which answers what it reads.
      target[PROCESS].stdout!.prependListener('data', (chunk: Buffer) => {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
        rest = lines.pop()!
        for (const line of lines) note('server', line)
      })
    },
    send(message: never) {
      note('client', JSON.stringify(message))
      return send(message)
    },
  })
  const write = (line: string): void => {
    note('client', line)
    target[PROCESS].stdin!.write(`${line}\n`)
  }
  return { messages, write }
}
