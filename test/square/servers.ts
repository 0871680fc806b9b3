import { randomUUID } from 'node:crypto'
import { startEverything } from '../support/everything.mjs'
import { type LegacyKind, type LegacyServer, startLegacyServer } from '../support/legacy-server.ts'
import {
  asks,
  cancels,
  completion,
  lists,
  logs,
  numbers,
  progress,
  prompts,
  resources,
  structured,
  tools,
  updates,
} from './exercises.ts'
import type { Era, Kit } from './features.ts'

/** What a server is, before it runs. */
interface ServerKind {
  readonly server: string
  /** What it speaks: up to 2025-11-25, only 2026-07-28, or either. */
  readonly speaks: Era | 'both'
  readonly transport: 'http' | 'sse'
}

export const SERVERS = [
  { server: 'SDK v1, sessions', speaks: 'legacy', transport: 'http' },
  { server: 'SDK v1, stateless', speaks: 'legacy', transport: 'http' },
  { server: 'SDK v1, HTTP+SSE', speaks: 'legacy', transport: 'sse' },
  { server: 'Worker /mcp', speaks: 'both', transport: 'http' },
  { server: 'Worker /stateless', speaks: 'both', transport: 'http' },
  { server: 'Worker /legacy', speaks: 'legacy', transport: 'http' },
  { server: 'Worker /modern', speaks: 'modern', transport: 'http' },
  { server: 'server-everything', speaks: 'legacy', transport: 'http' },
] as const satisfies readonly ServerKind[]

export type ServerName = (typeof SERVERS)[number]['server']

export function transportOf(name: ServerName): ServerKind['transport'] {
  return SERVERS.find(({ server }) => server === name)!.transport
}

/** One of them that runs. */
export interface Running {
  readonly url: string
  /** What it can do, by the era in which it is spoken to. */
  kit(era: Era): Kit
}

export interface Square {
  readonly servers: Readonly<Record<ServerName, Running>>
  stop(): Promise<void>
}

/** What the start of the companion Worker returns, of which the bundled command knows no more. */
interface Worker {
  readonly url: string
  stop(): Promise<void>
}

/** Starts each server once; many hosts share it. */
export async function startSquare(
  startWorker: (options: { flavour: 'public' }) => Promise<Worker>,
): Promise<Square> {
  const [worker, session, stateless, sse, everything] = await Promise.all([
    startWorker({ flavour: 'public' }),
    startLegacyServer('session'),
    startLegacyServer('stateless'),
    startLegacyServer('sse'),
    startEverything('streamableHttp'),
  ])
  const at = (path: string, hasSessions: boolean): Running => ({
    url: `${worker.url}${path}`,
    kit: (era) => workerKit(worker.url, hasSessions || era === 'modern'),
  })
  return {
    servers: {
      'SDK v1, sessions': { url: session.url, kit: () => legacyKit('session', session) },
      'SDK v1, stateless': { url: stateless.url, kit: () => legacyKit('stateless', stateless) },
      'SDK v1, HTTP+SSE': { url: sse.url, kit: () => legacyKit('sse', sse) },
      'Worker /mcp': at('/mcp', true),
      'Worker /stateless': at('/stateless/mcp', false),
      'Worker /legacy': at('/legacy/mcp', true),
      'Worker /modern': at('/modern/mcp', false),
      'server-everything': { url: everything.url, kit: () => everythingKit() },
    },
    async stop() {
      for (const server of [session, stateless, sse, everything]) server.stop()
      await worker.stop()
    },
  }
}

const none = {}

function legacyKit(kind: LegacyKind, { hanging }: LegacyServer): Kit {
  const touch = { name: 'touch', arguments: none }
  const anywhere: Kit = {
    tools: tools({ name: 'sum', arguments: { a: 1.5, b: 2 } }, /3\.5/),
    'numbers beyond 2^53': numbers('sum', (digits) => `{"a":${digits},"b":1}`),
    'structured output': structured({ name: 'weigh', arguments: none }, { grams: 12.5 }),
    progress: progress({ name: 'steps', arguments: none }),
    'log messages': logs({ name: 'log', arguments: none }, 'warning', /error/),
    resources: resources('note://one', /noted/, 'nothing://x'),
    prompts: prompts('greet', { name: 'Zoë' }, /Greet Zoë/),
    completion: completion('greet', { name: 'name', value: 'A' }, ['Ada']),
  }
  // Without sessions a server can neither ask, nor be told, nor tell.
  if (kind === 'stateless') return anywhere
  return {
    ...anywhere,
    'resource updates': updates(
      () => `note://${randomUUID()}`,
      ({ peer }) => peer.client.callTool(touch),
    ),
    sampling: asks('sampling/createMessage', { name: 'sample', arguments: none }, /sampled text/),
    elicitation: asks('elicitation/create', { name: 'form', arguments: none }, /Ada/),
    'URL elicitation': asks('elicitation/create', { name: 'visit', arguments: none }, /accept/),
    roots: asks('roots/list', { name: 'roots', arguments: none }, /file:\/\/\/home\/one/),
    cancellation: cancels(
      (call) => ({ name: 'hang', arguments: { call } }),
      (call) => hanging.has(call),
    ),
    'changed lists': lists('tools', ({ peer }) => peer.client.callTool(touch)),
  }
}

/** What the Worker's `int64` adds to the number that it was sent. */
const AWKWARD = [
  '"beyond_2_53":9007199254740993',
  '"thirty_digits":123456789012345678901234567890',
  '"one_with_fraction":1.0',
  '"beyond_double":1e400',
  String.raw`"lone_surrogate":"\ud800"`,
]

function workerKit(origin: string, canAsk: boolean): Kit {
  const question = (kind: string) => ({
    name: `test_input_required_result_${kind}`,
    arguments: none,
  })
  const six = { name: 'calculator', arguments: { operation: 'multiply', a: 6, b: 7 } }
  const anywhere: Kit = {
    tools: tools(six, /42/),
    'numbers beyond 2^53': numbers('int64', (digits) => `{"number":${digits}}`, AWKWARD),
    'structured output': structured(six, { result: 42 }),
    progress: progress({ name: 'progress', arguments: { steps: 3 } }),
    'log messages': logs({ name: 'log', arguments: { text: 'loud' } }, 'critical', /loud/),
    resources: resources('server://about', /bridge-worker/, 'nowhere://x'),
    prompts: prompts('explain_tool', { tool: 'calculator', language: 'Deutsch' }, /Deutsch/),
    completion: completion('explain_tool', { name: 'language', value: 'D' }, ['Deutsch']),
  }
  if (!canAsk) return anywhere
  return {
    ...anywhere,
    'resource updates': updates(
      () => `counter://${randomUUID()}`,
      ({ peer }, uri) =>
        peer.client.callTool({ name: 'increment', arguments: { counter: uri.slice(10) } }),
    ),
    sampling: asks('sampling/createMessage', question('sampling'), /sampled text/),
    elicitation: asks('elicitation/create', question('elicitation'), /Hello, Ada!/),
    roots: asks('roots/list', question('list_roots'), /file:\/\/\/home\/one/),
    cancellation: cancels(() => ({ name: 'sleep', arguments: { ms: 60_000 } })),
    'changed lists': lists('tools', () =>
      fetch(`${origin}/__test/list-changed?kind=tools`, { method: 'POST' }),
    ),
  }
}

function everythingKit(): Kit {
  const weather = { temperature: 33, conditions: 'Cloudy', humidity: 82 }
  const file = { name: 'a.gz', data: 'data:text/plain,hello' }
  const slow = { name: 'trigger-long-running-operation', arguments: { duration: 0.15, steps: 3 } }
  const sample = { name: 'trigger-sampling-request', arguments: { prompt: 'hi', maxTokens: 5 } }
  const visit = { name: 'trigger-url-elicitation', arguments: { url: 'https://a.example/' } }
  const resource = 'demo://resource/dynamic/text/1'
  return {
    tools: tools({ name: 'get-sum', arguments: { a: 2, b: 3 } }, /5/),
    'numbers beyond 2^53': numbers('get-sum', (digits) => `{"a":${digits},"b":1}`),
    'structured output': structured(
      { name: 'get-structured-content', arguments: { location: 'New York' } },
      weather,
    ),
    progress: progress(slow),
    resources: resources(resource, /Resource 1/, 'demo://resource/nowhere'),
    'resource updates': updates(
      () => resource,
      ({ peer }) => peer.client.callTool({ name: 'toggle-subscriber-updates', arguments: none }),
    ),
    prompts: prompts('completable-prompt', { department: 'Sales', name: 'Eve' }, /Eve/),
    completion: completion('completable-prompt', { name: 'name', value: 'A' }, ['Alice'], {
      arguments: { department: 'Engineering' },
    }),
    sampling: asks('sampling/createMessage', sample, /sampled text/),
    elicitation: asks(
      'elicitation/create',
      { name: 'trigger-elicitation-request', arguments: none },
      /Name: Ada/,
    ),
    'URL elicitation': asks('elicitation/create', visit, /completed the URL elicitation flow/),
    roots: asks('roots/list', { name: 'get-roots-list', arguments: none }, /file:\/\/\/home\/one/),
    cancellation: cancels(() => ({ ...slow, arguments: { duration: 60, steps: 600 } })),
    'changed lists': lists('resources', ({ peer }) =>
      peer.client.callTool({ name: 'gzip-file-as-resource', arguments: file }),
    ),
    'log messages': logs(
      { name: 'toggle-simulated-logging', arguments: none },
      'debug',
      /-level message/,
    ),
  }
}
