import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { HostLine, Local, Outcome, Remote } from '../../src/channel.ts'
import { RelayError } from '../../src/errors.ts'
import { type Frame, readFrame } from '../../src/frame.ts'
import { silentLog } from '../../src/log.ts'
import { createRelay } from '../../src/relay.ts'
import type { Property } from './property.ts'

const BROKEN = -31001
const INVALID = -32600
const UNPARSABLE = -32700

/** Ids that are easily taken for each other. */
const IDS = ['1', '"1"', '1.0', 'null'] as const
type Id = (typeof IDS)[number]

interface Delivery {
  readonly requests: readonly Request[]
  settle(how: 'complete' | 'elsewhere' | 'failed'): void
}

/** A request of the host that has no answer yet. */
interface Request {
  readonly id: Id
  readonly group: Group | undefined
  stray?: number
}

interface Group {
  missing: number
  readonly answers: string[]
}

/** What must be true by what was said so far. */
interface Model {
  readonly open: Map<Id, Request>
  readonly asked: Set<Id>
  /** The texts that each side must have been sent, in order; an answer as `<id>=<result or code>`. */
  readonly toHost: string[]
  readonly toServer: string[]
  /** What is on its way to the server, the oldest first. */
  readonly deliveries: Delivery[]
  readonly batches: boolean
  closed: boolean
  count: number
}

interface Real {
  host(line: HostLine): Promise<void>
  server(text: string, owner?: Id): void
  lost(only?: Id): void
  forgotten(): void
  close(): void
  settleNext: ((how: 'complete' | 'elsewhere' | 'failed') => void)[]
  readonly toHost: string[]
  readonly toServer: string[]
  idle(): Promise<void>
}

type Command = fc.AsyncCommand<Model, Real>

const textOf = (frame: Frame): string => Buffer.concat(frame.chunks).toString('utf8')

/** A frame as the model writes it down. */
function note(frame: Frame): string {
  if (frame.kind === 'batch') return `[${frame.parts!.map(note).join(',')}]`
  if (frame.kind !== 'response') return textOf(frame)
  const { error, result } = JSON.parse(textOf(frame)) as {
    error?: { code: number }
    result?: number
  }
  return `${frame.id}=${error?.code ?? result}`
}

function start(batches: boolean): Real {
  const toHost: string[] = []
  const toServer: string[] = []
  const settleNext: Real['settleNext'] = []
  let onLine: (line: HostLine) => Promise<void> | undefined = () => undefined
  const never = new Promise<void>(() => {})
  const local: Local = {
    send: (frame) => void toHost.push(note(frame)),
    broken: never,
    ended: never,
    flush: () => Promise.resolve(),
    read(take) {
      onLine = take
      return never
    },
  }
  const remote: Remote = {
    send(frame) {
      toServer.push(note(frame))
      const done = new Promise<Outcome>((resolve, reject) => {
        settleNext.push((how) => {
          if (how === 'failed') reject(new RelayError('It broke.', { phase: 'response' }))
          else resolve(how)
        })
      })
      return { started: Promise.resolve(), done }
    },
    acceptsBatches: () => batches,
    close: () => Promise.resolve(),
  }
  const relay = createRelay(local, silentLog)
  void relay.run(remote)
  return {
    host: async (line) => void (await onLine(line)),
    server: (text, owner) => void relay.events.frame(readFrame(text)!, owner),
    lost: (only) => relay.events.lost(new RelayError('It is lost.', { phase: 'response' }), only),
    forgotten: relay.events.forgotten,
    close: () => void relay.close(remote, new RelayError('The end.', { phase: 'request' })),
    settleNext,
    toHost,
    toServer,
    idle: relay.idle,
  }
}

function respond(model: Model, { id, group }: Request, what: string | number): void {
  model.open.delete(id)
  const answer = `${id}=${what}`
  if (group === undefined) model.toHost.push(answer)
  else complete(model, group, answer)
}

function complete({ toHost }: Model, group: Group, answer?: string): void {
  if (answer !== undefined) group.answers.push(answer)
  group.missing--
  if (group.missing === 0 && group.answers.length > 0) toHost.push(`[${group.answers.join(',')}]`)
}

/** A message of the host as text, and what the model expects of it. */
interface Said {
  readonly kind: 'request' | 'notification' | 'answer' | 'nonsense'
  readonly id: Id
}

const textIn = ({ kind, id }: Said, count: number): string => {
  switch (kind) {
    case 'request':
      return `{"id":${id}, "method":"m","params":[${count},1.0]}`
    case 'notification':
      return `{"method":"n" ,"params":[${count},1.0]}`
    case 'answer':
      return `{"result":${count},"id":${id}}`
    case 'nonsense':
      return `{"id":${id},"nothing":${count}}`
  }
}

/** What one message of the host does, and who is to be answered when its delivery ends. */
function expectOne(model: Model, said: Said, text: string, group?: Group): void {
  const { id } = said
  const refuse = (code: number): void => {
    if (group === undefined) model.toHost.push(`${id}=${code}`)
    else complete(model, group, `${id}=${code}`)
  }
  switch (said.kind) {
    case 'nonsense':
      refuse(INVALID)
      return
    case 'request': {
      if (model.closed) return refuse(BROKEN)
      if (model.open.has(id)) return refuse(INVALID)
      const request: Request = { id, group }
      model.open.set(id, request)
      deliver(model, text, [request])
      return
    }
    case 'notification':
      if (!model.closed) deliver(model, text, [])
      return
    case 'answer':
      if (model.asked.delete(id) && !model.closed) deliver(model, note(readFrame(text)!), [])
  }
}

function deliver(model: Model, text: string, requests: readonly Request[]): void {
  model.toServer.push(text)
  model.deliveries.push({
    requests,
    settle(how) {
      if (how === 'elsewhere') return
      for (const request of requests) {
        if (model.open.get(request.id) !== request) continue
        respond(model, request, request.stray ?? BROKEN)
      }
    },
  })
}

/** A command with its name, whose effects on both sides are compared at once. */
function command(name: string, act: (model: Model, real: Real) => Promise<void> | void): Command {
  return {
    check: () => true,
    async run(model, real) {
      await act(model, real)
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(real.toHost, model.toHost)
      assert.deepEqual(real.toServer, model.toServer)
    },
    toString: () => name,
  }
}

const lineOf = (text: string): HostLine => ({ kind: 'frame', frame: readFrame(text)! })

const say = (said: Said): Command =>
  command(`host ${said.kind} ${said.id}`, (model, real) => {
    const text = textIn(said, ++model.count)
    expectOne(model, said, text)
    return real.host(lineOf(text))
  })

const sayBatch = (all: readonly Said[]): Command =>
  command(`host [${all.map(({ kind, id }) => `${kind} ${id}`).join(', ')}]`, (model, real) => {
    const texts = all.map((said) => textIn(said, ++model.count))
    const line = `[${texts.join(',')}]`
    const requests = all.filter(({ kind }) => kind === 'request').map(({ id }) => id)
    const isWhole =
      model.batches &&
      !model.closed &&
      all.every(({ kind }) => kind === 'request' || kind === 'notification') &&
      new Set(requests).size === requests.length &&
      requests.every((id) => !model.open.has(id))
    if (isWhole) {
      const entries = requests.map((id): Request => ({ id, group: undefined }))
      for (const entry of entries) model.open.set(entry.id, entry)
      deliver(model, note(readFrame(line)!), entries)
    } else {
      const missing = all.filter(({ kind }) => kind === 'request' || kind === 'nonsense').length
      const group: Group = { missing, answers: [] }
      const seen = new Set<Id>()
      all.forEach((said, i) => {
        const isRequest = said.kind === 'request'
        if (isRequest && seen.has(said.id)) complete(model, group, `${said.id}=${INVALID}`)
        else expectOne(model, said, texts[i]!, group)
        if (isRequest) seen.add(said.id)
      })
    }
    return real.host(lineOf(line))
  })

const garbage = (kind: 'unparsable' | 'too-long'): Command =>
  command(kind, (model, real) => {
    model.toHost.push(`null=${UNPARSABLE}`)
    return real.host({ kind })
  })

const hostCancels = (id: Id): Command =>
  command(`host cancels ${id}`, (model, real) => {
    const text = `{"method":"notifications/cancelled","params":{"requestId":${id}}}`
    if (!model.closed) deliver(model, text, [])
    const request = model.open.get(id)
    model.open.delete(id)
    if (request?.group !== undefined) complete(model, request.group)
    return real.host(lineOf(text))
  })

/** An answer of the server, perhaps in the response to another request, perhaps without an id. */
const answers = (id: Id | '7' | undefined, owner: Id | undefined): Command =>
  command(`server answers ${id} in ${owner}`, (model, real) => {
    const count = ++model.count
    expectAnswer(model, id, owner, count)
    real.server(`{${id === undefined ? '' : `"id":${id},`}"result":${count}}`, owner)
  })

function expectAnswer(
  model: Model,
  id: Id | '7' | undefined,
  owner: Id | undefined,
  count: number,
): void {
  const named = id === undefined || id === '7' ? undefined : model.open.get(id)
  const request = named ?? (owner && model.open.get(owner))
  if (request === undefined) return
  if (named !== undefined || id === undefined || id === 'null') respond(model, request, count)
  else request.stray ??= count
}

/** Several answers at once: as they came, when all of them are expected so. */
const answersTogether = (list: readonly (Id | '7')[]): Command =>
  command(`server answers [${list.join(', ')}]`, (model, real) => {
    const counts = list.map(() => ++model.count)
    const entries = list.map((id) => (id === '7' ? undefined : model.open.get(id)))
    const isPlain =
      model.batches && entries.every((entry) => entry !== undefined && entry.group === undefined)
    if (isPlain) {
      for (const id of list) model.open.delete(id as Id)
      model.toHost.push(`[${list.map((id, i) => `${id}=${counts[i]}`).join(',')}]`)
    } else {
      list.forEach((id, i) => expectAnswer(model, id, undefined, counts[i]!))
    }
    real.server(`[${list.map((id, i) => `{"id":${id},"result":${counts[i]}}`).join(',')}]`)
  })

const asks = (id: Id): Command =>
  command(`server asks ${id}`, (model, real) => {
    const text = `{"id":${id},"method":"s","params":[${++model.count},1.0]}`
    if (model.asked.has(id)) {
      if (!model.closed) deliver(model, `${id}=${INVALID}`, [])
    } else {
      model.asked.add(id)
      model.toHost.push(text)
    }
    real.server(text)
  })

const notifies = command('server notifies', (model, real) => {
  const text = `{"method":"s","params":[${++model.count},1.0]}`
  model.toHost.push(text)
  real.server(text)
})

const serverCancels = (id: Id): Command =>
  command(`server cancels ${id}`, (model, real) => {
    const text = `{"method":"notifications/cancelled","params":{"requestId":${id}}}`
    model.asked.delete(id)
    model.toHost.push(text)
    real.server(text)
  })

const ends = (index: number, how: 'complete' | 'elsewhere' | 'failed'): Command =>
  command(`delivery ${index} is ${how}`, (model, real) => {
    if (model.deliveries.length === 0) return
    const at = index % model.deliveries.length
    model.deliveries.splice(at, 1)[0]!.settle(how)
    real.settleNext.splice(at, 1)[0]!(how)
  })

const loses = (only: Id | undefined): Command =>
  command(`${only ?? 'every'} answer is lost`, (model, real) => {
    const lost = only === undefined ? [...model.open.keys()] : [only]
    for (const id of lost) {
      const request = model.open.get(id)
      if (request !== undefined) respond(model, request, request.stray ?? BROKEN)
    }
    real.lost(only)
  })

const forgets = command('the server forgets', (model, real) => {
  for (const id of model.asked) {
    const params = `{"requestId":${id},"reason":"The server has lost its session."}`
    model.toHost.push(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`)
  }
  model.asked.clear()
  real.forgotten()
})

const closes = command('the relay closes', (model, real) => {
  model.closed = true
  for (const request of model.open.values()) respond(model, request, request.stray ?? BROKEN)
  for (const id of model.asked) deliver(model, `${id}=${BROKEN}`, [])
  model.asked.clear()
  real.close()
})

const id = fc.constantFrom(...IDS)
const anyId = fc.constantFrom(...IDS, '7' as const)
const said = fc.record<Said>({
  kind: fc.constantFrom('request', 'request', 'notification', 'answer', 'nonsense'),
  id,
})
const how = fc.constantFrom('complete', 'complete', 'elsewhere', 'failed')
const commands = fc.commands(
  [
    said.map(say),
    said.map(say),
    fc.array(said, { minLength: 1, maxLength: 4 }).map(sayBatch),
    fc.constantFrom('unparsable', 'too-long').map(garbage),
    id.map(hostCancels),
    fc
      .tuple(fc.option(anyId, { nil: undefined }), fc.option(id, { nil: undefined }))
      .map((pair) => answers(...pair)),
    id.map((one) => answers(one, one)),
    fc.uniqueArray(anyId, { minLength: 1, maxLength: 3 }).map(answersTogether),
    id.map(asks),
    fc.constant(notifies),
    id.map(serverCancels),
    fc.tuple(fc.nat(), how).map((pair) => ends(...pair)),
    fc.tuple(fc.nat(), how).map((pair) => ends(...pair)),
    fc.option(id, { nil: undefined, freq: 3 }).map(loses),
    fc.constant(forgets),
    fc.constantFrom(...Array<Command>(6).fill(notifies), closes),
  ],
  { maxCommands: 60, size: '+1' },
)

/** Whatever happened: after the end nothing is open, and everybody has an answer. */
const over = command('the end', async (model, real) => {
  await closes.run(model, real)
  for (const { settle } of model.deliveries.splice(0)) settle('complete')
  for (const settle of real.settleNext.splice(0)) settle('complete')
  await real.idle()
  assert.equal(model.open.size, 0)
})

export const relay: Property = {
  name: 'relay: exactly one answer to each request, in order, whatever both sides and the wire do',
  runs: 150,
  property: fc.asyncProperty(fc.boolean(), commands, (batches, list) => {
    const model: Model = {
      open: new Map(),
      asked: new Set(),
      toHost: [],
      toServer: [],
      deliveries: [],
      batches,
      closed: false,
      count: 0,
    }
    return fc.asyncModelRun(() => ({ model, real: start(batches) }), [...list, over])
  }),
}
