import type { Client, ClientOptions } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { connectV2 } from './support/clients.ts'
import { until } from './support/until.ts'

let worker: RunningWorker
beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
})
afterAll(() => worker.stop())

const options: ClientOptions = { capabilities: { elicitation: { form: {} } } }

describe.each([
  ['legacy', '/mcp'],
  ['legacy', '/sse'],
  ['modern', '/mcp'],
] as const)('%s at %s', (era, path) => {
  let client: Client
  beforeAll(async () => {
    client = await connectV2(worker.url + path, era, options)
  })
  afterAll(() => client.close())

  test('the resource and the templates are listed and read', async () => {
    const name = `r-${crypto.randomUUID().slice(0, 8)}`
    await client.callTool({ name: 'increment', arguments: { counter: name, by: 7 } })
    const { resources } = await client.listResources()
    const uris = resources.map(({ uri }) => uri)
    expect(uris).toContain('server://about')
    expect(uris).toContain(`counter://${name}`)
    const { resourceTemplates } = await client.listResourceTemplates()
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(
      expect.arrayContaining(['counter://{name}', 'job://{id}']),
    )
    const { contents } = await client.readResource({ uri: `counter://${name}` })
    expect(contents).toEqual([
      {
        uri: `counter://${name}`,
        mimeType: 'application/json',
        text: JSON.stringify({ name, value: 7 }),
      },
    ])
  })

  test('a template completes its variable', async () => {
    const name = `complete-${crypto.randomUUID().slice(0, 8)}`
    await client.callTool({ name: 'increment', arguments: { counter: name } })
    const { completion } = await client.complete({
      ref: { type: 'ref/resource', uri: 'counter://{name}' },
      argument: { name: 'name', value: name.slice(0, -3) },
    })
    expect(completion.values).toEqual([name])
  })

  test('the prompt completes its arguments and is filled in', async () => {
    const ref = { type: 'ref/prompt', name: 'explain_tool' } as const
    const tool = await client.complete({ ref, argument: { name: 'tool', value: 'sea' } })
    expect(tool.completion.values).toEqual(['search_notes'])
    const language = await client.complete({ ref, argument: { name: 'language', value: 'd' } })
    expect(language.completion.values).toEqual(['Deutsch'])
    const { messages } = await client.getPrompt({
      name: 'explain_tool',
      arguments: { tool: 'big', language: 'Deutsch' },
    })
    expect(messages).toMatchObject([
      { role: 'user', content: { text: expect.stringContaining('big in Deutsch') } },
    ])
  })

  test.each([
    [{ action: 'accept', content: { confirmed: true } }, 'confirmed'],
    [{ action: 'accept', content: { confirmed: false } }, 'refused'],
    [{ action: 'decline' }, 'declined'],
    [{ action: 'cancel' }, 'cancelled'],
  ] as const)('confirm: the person answers %o', async (reply, outcome) => {
    let asked = ''
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked = params.message
      return reply
    })
    const answer = await client.callTool({ name: 'confirm', arguments: { question: 'Really?' } })
    expect(asked).toBe('Really?')
    expect(answer.structuredContent).toEqual({ outcome })
  })

  test('progress is reported while the call runs', async () => {
    const seen: number[] = []
    const call = client.callTool(
      { name: 'progress', arguments: { steps: 5, delay_ms: 30 } },
      { onprogress: ({ progress }) => seen.push(progress) },
    )
    await call
    // The SDK drops the last one when the result follows at once.
    expect(seen.slice(0, 4)).toEqual([1, 2, 3, 4])
  })
})

test('a stateless client of the initialize era is told that it cannot be asked', async () => {
  const client = await connectV2(`${worker.url}/stateless/mcp`, 'legacy', options)
  const answer = await client.callTool({ name: 'confirm', arguments: {} })
  expect(answer.isError).toBe(true)
  const { resources } = client.getServerCapabilities() ?? {}
  expect(resources?.subscribe).toBeUndefined()
  await client.close()
})

test('log messages arrive from the level that the session set', async () => {
  const client = await connectV2(`${worker.url}/mcp`, 'legacy')
  const levels: string[] = []
  client.setNotificationHandler('notifications/message', ({ params }) => {
    levels.push(params.level)
  })
  await client.setLoggingLevel('critical')
  await client.callTool({ name: 'log', arguments: {} })
  await until('three levels', () => levels.length === 3)
  expect(levels).toEqual(['critical', 'alert', 'emergency'])
  await client.close()
})

test('server/discover and initialize announce the same server', async () => {
  const [old, modern] = await Promise.all([
    connectV2(`${worker.url}/mcp`, 'legacy'),
    connectV2(`${worker.url}/mcp`, 'modern'),
  ])
  expect(modern.getServerCapabilities()).toEqual(old.getServerCapabilities())
  expect(modern.getInstructions()).toBe(old.getInstructions())
  expect(old.getServerVersion()).toMatchObject({ name: 'bridge-worker' })
  await Promise.all([old.close(), modern.close()])
})
