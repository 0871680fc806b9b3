import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { Remote, RemoteEvents } from '../../src/channel.ts'
import { openLegacyToModern } from '../../src/era/legacy-to-modern/index.ts'
import { openModernToLegacy } from '../../src/era/modern-to-legacy/index.ts'
import type { Translator, TranslatorContext } from '../../src/era/translator.ts'
import { type Frame, readFrame, slice } from '../../src/frame.ts'
import { locate, members as membersAt } from '../../src/json/locate.ts'
import { silentLog } from '../../src/log.ts'
import { space, strings, texts } from '../support/json-texts.ts'
import type { Property } from './property.ts'

const PREFIX = 'io.modelcontextprotocol/'

/** A host and a server that only keep what they are sent, and a translator between them. */
function between(open: (context: TranslatorContext) => Translator) {
  const toHost: Frame[] = []
  const toServer: Frame[] = []
  const server: Remote = {
    send(frame) {
      toServer.push(frame)
      const done = frame.kind === 'request' ? new Promise<never>(() => {}) : 'complete'
      return { started: Promise.resolve(), done: Promise.resolve(done) }
    },
    acceptsBatches: () => false,
    canNotify: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  }
  const events: RemoteEvents = {
    frame: (frame) => void toHost.push(frame),
    lost: () => {},
    forgotten: () => {},
  }
  const host = 'mcp.example'
  const random = (): string => 'token'
  const standsFor = (): void => {}
  const log = silentLog
  const translator = open({ server, events, log, host, now: Date.now, random, standsFor })
  return {
    toHost,
    toServer,
    async say(text: string) {
      void translator.send(readFrame(text)!)
      await settled()
    },
    async tell(text: string, owner?: string) {
      void translator.fromServer(readFrame(text)!, owner)
      await settled()
    },
  }
}

/** Lets everything happen that needs no timer. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

const bytesOf = (frame: Frame): Buffer => slice(frame.chunks, { start: 0, end: frame.size })

/** The sources of the members at a path, in order, without those that a translator may change. */
function membersOf(frame: Frame, path: readonly string[], isChanged: (name: string) => boolean) {
  const text = bytesOf(frame)
  const span = locate(text, ...path)
  if (span === undefined) return []
  return [...membersAt(text, span)]
    .filter(({ name }) => !isChanged(name))
    .map(({ name, value }) => [name, text.toString('utf8', value.start, value.end)])
}

/** Everything that is nobody's business but that of host and server is there, byte for byte. */
function assertUntouched(
  sent: string,
  arrived: Frame,
  changed: readonly [path: readonly string[], isChanged: (name: string) => boolean][],
): void {
  for (const [path, isChanged] of changed) {
    assert.deepEqual(
      membersOf(arrived, path, isChanged),
      membersOf(readFrame(sent)!, path, isChanged),
    )
  }
}

const oneOf =
  (...names: string[]) =>
  (name: string): boolean =>
    names.includes(name)

/** Texts of values as they stand on one line. */
const value = texts.map((text) => text.replaceAll(/[\r\n]/g, ' ').trim())

/** Members that mean nothing to a translator, with the white space around them. */
function members(reserved: readonly string[]): fc.Arbitrary<string[]> {
  const name = fc
    .oneof(fc.constantFrom('name', 'arguments', 'uri', 'cursor', 'x', 'ü'), strings.map(unquoted))
    .filter((text) => !reserved.includes(text) && !text.startsWith(PREFIX))
  const gap = space.map((text) => text.replaceAll(/[\r\n]/g, ' '))
  const member = fc.tuple(gap, name, gap, gap, value, gap)
  return fc
    .uniqueArray(member, { maxLength: 4, selector: ([, key]) => key })
    .map((all) =>
      all.map(([a, key, b, c, text, d]) => `${a}${JSON.stringify(key)}${b}:${c}${text}${d}`),
    )
}

const unquoted = (source: string): string => JSON.parse(source) as string
const objectOf = (...lists: readonly (readonly string[])[]): string => `{${lists.flat().join(',')}}`

const method = fc.constantFrom(
  'tools/call',
  'tools/list',
  'resources/read',
  'prompts/get',
  'completion/complete',
  'x/y',
)
const id = fc.oneof(fc.bigInt().map(String), strings, fc.constantFrom('0', '1.0', '""'))
const request = fc.record({
  id,
  method,
  root: members(['jsonrpc', 'id', 'method', 'params', 'result', 'error']),
  params: members(['_meta', 'task', 'inputResponses', 'requestState']),
  meta: fc.option(members([]), { nil: undefined }),
})
const result = fc.record({
  root: members(['jsonrpc', 'id', 'method', 'params', 'result', 'error']),
  // What these are for a tool, a translator has to look into.
  members: members([
    'resultType',
    'ttlMs',
    'cacheScope',
    '_meta',
    'tools',
    'content',
    'structuredContent',
    'task',
  ]),
  meta: fc.option(members(['io.modelcontextprotocol/related-task']), { nil: undefined }),
})
const CHANGED_RESULT = oneOf('resultType', 'ttlMs', 'cacheScope', '_meta', 'content')
const isReserved = (name: string): boolean => name.startsWith(PREFIX)

const meta = (list: readonly string[] | undefined, more: readonly string[] = []): string[] =>
  list === undefined && more.length === 0 ? [] : [`"_meta":${objectOf(list ?? [], more)}`]

export const legacyHost: Property = {
  name: 'eras: what a host of the initialize era and a stateless server tell each other keeps its bytes',
  runs: 150,
  property: fc.asyncProperty(request, result, async (asked, answered) => {
    const world = between((context) =>
      openLegacyToModern(context, {
        result: Buffer.from('{"supportedVersions":["2026-07-28"],"capabilities":{}}'),
        at: 0,
      }),
    )
    await world.say('{"id":"i","method":"initialize","params":{"capabilities":{"roots":{}}}}')
    const params = `"params":${objectOf(asked.params, meta(asked.meta))}`
    const head = [`"id":${asked.id}`, `"method":"${asked.method}"`]
    const sent = objectOf(head, asked.root, [params])
    await world.say(sent)
    const arrived = world.toServer.at(-1)!
    assert.equal(arrived.method, asked.method)
    assertUntouched(sent, arrived, [
      [[], oneOf('id', 'params')],
      [['params'], oneOf('_meta')],
      [['params', '_meta'], isReserved],
    ])
    const inner = objectOf(['"resultType":"complete"'], answered.members, meta(answered.meta))
    const reply = objectOf([`"id":${arrived.id}`], answered.root, [`"result":${inner}`])
    await world.tell(reply, arrived.id)
    const back = world.toHost.at(-1)!
    assert.equal(back.id, asked.id)
    assertUntouched(reply, back, [
      [[], oneOf('id', 'result')],
      [['result'], CHANGED_RESULT],
      [['result', '_meta'], isReserved],
    ])
    const news = objectOf(['"method":"notifications/x"'], answered.root, [params])
    await world.tell(news)
    assert.equal(bytesOf(world.toHost.at(-1)!).toString('utf8'), news)
  }),
}

const INITIALIZED =
  '"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}'

export const statelessHost: Property = {
  name: 'eras: what a stateless host and a server of the initialize era tell each other keeps its bytes',
  runs: 150,
  property: fc.asyncProperty(request, result, async (asked, answered) => {
    const world = between(openModernToLegacy)
    const claims = [`"${PREFIX}protocolVersion":"2026-07-28"`, `"${PREFIX}clientCapabilities":{}`]
    const params = `"params":${objectOf(asked.params, meta(asked.meta, claims))}`
    const head = [`"id":${asked.id}`, `"method":"${asked.method}"`]
    const sent = objectOf(head, asked.root, [params])
    await world.say(sent)
    const initialize = world.toServer[0]!
    assert.equal(initialize.method, 'initialize')
    await world.tell(`{"id":${initialize.id},${INITIALIZED}}`, initialize.id)
    const arrived = world.toServer.at(-1)!
    assert.equal(arrived.method, asked.method)
    assertUntouched(sent, arrived, [
      [[], oneOf('id', 'params')],
      [['params'], oneOf('_meta')],
      [['params', '_meta'], (name) => isReserved(name) || name === 'progressToken'],
    ])
    const inner = objectOf(answered.members, meta(answered.meta))
    const reply = objectOf([`"id":${arrived.id}`], answered.root, [`"result":${inner}`])
    await world.tell(reply, arrived.id)
    const back = world.toHost.at(-1)!
    assert.equal(back.id, asked.id)
    assertUntouched(reply, back, [
      [['result'], CHANGED_RESULT],
      [['result', '_meta'], isReserved],
    ])
  }),
}
