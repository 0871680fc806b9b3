import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client as ClientV2, type ClientOptions } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { inject, onTestFinished } from 'vitest'
import type { Tapped } from './tap.ts'

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
  close(): Promise<void>
}

/** How a peer starts the bridge. */
export interface PeerStart {
  /** `BRIDGE_HOME`; an empty folder by default. */
  readonly home?: string
  readonly args?: readonly string[]
}

const INFO = { name: 'peer', version: '1.0.0' }
const CAPABILITIES = { sampling: {}, elicitation: {}, roots: { listChanged: true } }

/** The client's answers to the server's requests. */
const ANSWERS = {
  sampling: {
    model: 'model-1',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: 'sampled text' },
  },
  elicitation: { action: 'accept' as const, content: { name: 'Ada', integer: 7, confirmed: true } },
  roots: { roots: [{ uri: 'file:///home/one', name: 'one' }] },
}

/** SDK v1 over its own stdio transport, with the packed bridge as its server. */
export async function connectV1(url: string, start: PeerStart = {}): Promise<Peer> {
  const client = new ClientV1(INFO, { capabilities: CAPABILITIES })
  const { notes, asked } = record(client)
  client.setRequestHandler(CreateMessageRequestSchema, () => {
    asked.push('sampling/createMessage')
    return ANSWERS.sampling
  })
  client.setRequestHandler(ElicitRequestSchema, () => {
    asked.push('elicitation/create')
    return ANSWERS.elicitation
  })
  client.setRequestHandler(ListRootsRequestSchema, () => {
    asked.push('roots/list')
    return ANSWERS.roots
  })
  const transport = new StdioV1(launch(url, start))
  const messages = listen(transport)
  await client.connect(transport)
  // `callTool` takes the options in another place; everything else that is used is the same.
  const call = client.callTool.bind(client)
  const callTool = (params: never, options: never) => call(params, undefined, options)
  Object.assign(client, { callTool })
  return peer(client as unknown as ClientV2, notes, asked, messages)
}

/** SDK v2 over its own stdio transport, with the packed bridge as its server. */
export async function connectV2(
  url: string,
  versionNegotiation: NonNullable<ClientOptions['versionNegotiation']> = {},
  start: PeerStart = {},
): Promise<Peer> {
  const client = new ClientV2(INFO, { capabilities: CAPABILITIES, versionNegotiation })
  const { notes, asked } = record(client)
  client.setRequestHandler('sampling/createMessage', () => {
    asked.push('sampling/createMessage')
    return ANSWERS.sampling
  })
  client.setRequestHandler('elicitation/create', () => {
    asked.push('elicitation/create')
    return ANSWERS.elicitation
  })
  client.setRequestHandler('roots/list', () => {
    asked.push('roots/list')
    return ANSWERS.roots
  })
  const transport = new StdioV2(launch(url, start))
  const messages = listen(transport)
  await client.connect(transport)
  return peer(client, notes, asked, messages)
}

/** What the transports of both SDKs have in common. */
interface Sending {
  send(message: never): Promise<void>
}

function listen(transport: object): Tapped[] {
  const messages: Tapped[] = []
  const target = transport as Sending
  const note = (from: Tapped['from'], message: object): void => {
    messages.push({ from, message: message as Record<string, unknown> })
  }
  const send = target.send.bind(target)
  Object.assign(target, {
    onmessage: (message: object) => note('server', message),
    send(message: never) {
      note('client', message)
      return send(message)
    },
  })
  return messages
}

function record(client: { fallbackNotificationHandler?: (note: Note) => Promise<void> }) {
  const notes: Note[] = []
  const asked: string[] = []
  client.fallbackNotificationHandler = (note) => {
    notes.push(note)
    return Promise.resolve()
  }
  return { notes, asked }
}

function peer(client: ClientV2, notes: Note[], asked: string[], messages: Tapped[]): Peer {
  const close = (): Promise<void> => client.close()
  onTestFinished(close)
  return { client, notes, asked, messages, close }
}

function launch(url: string, { home, args = [] }: PeerStart) {
  const folder = home ?? mkdtempSync(join(tmpdir(), 'bridge-home-'))
  if (home === undefined) onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const env = { PATH: process.env['PATH'] ?? '', BRIDGE_HOME: folder }
  const argv = [inject('bin'), url, ...args]
  return { command: process.execPath, args: argv, env, stderr: 'inherit' as const }
}
