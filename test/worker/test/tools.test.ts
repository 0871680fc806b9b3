import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { connect, connectV2, textOf, type TestClient } from './support/clients.ts'
import { until } from './support/until.ts'

let worker: RunningWorker
beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
})
afterAll(() => worker.stop())

const ways = [
  ['SDK v1', '/mcp'],
  ['SDK v2, legacy', '/mcp'],
  ['SDK v2, modern', '/mcp'],
  ['SDK v1', '/sse'],
] as const

describe.each(ways)('%s at %s', (name, path) => {
  let client: TestClient
  beforeAll(async () => {
    client = await connect(name, worker.url + path)
  })
  afterAll(() => client.close())

  test.each([
    ['add', 2, 3, 5],
    ['subtract', 2, 3, -1],
    ['multiply', 2, 3, 6],
    ['divide', 3, 2, 1.5],
  ])('calculator: %s %d %d is %d', async (operation, a, b, result) => {
    const answer = await client.call('calculator', { operation, a, b })
    expect(answer.structuredContent).toEqual({ result })
    expect(answer.isError).toBeFalsy()
  })

  test('calculator: a division by zero is an error result', async () => {
    const answer = await client.call('calculator', { operation: 'divide', a: 1, b: 0 })
    expect(answer.isError).toBe(true)
    expect(textOf(answer)).toBe('Division by zero is not allowed.')
  })

  test('arguments that do not fit the schema are an error result', async () => {
    const answer = await client.call('calculator', { operation: 'power', a: 1, b: 1, c: 1 })
    expect(answer.isError).toBe(true)
  })

  test('whoami tells owner, era and session', async () => {
    const { structuredContent } = await client.call('whoami')
    const modern = name.endsWith('modern')
    expect(structuredContent).toEqual({
      owner: 'public',
      roles: [],
      scopes: [],
      era: modern ? 'modern' : 'legacy',
      session: !modern,
    })
  })

  test('secret_check proves the secret by its hash', async () => {
    const { structuredContent } = await client.call('secret_check')
    const fingerprint = createHash('sha256').update('local-demo-key').digest('hex').slice(0, 8)
    expect(structuredContent).toEqual({ configured: true, fingerprint })
  })

  test('a preference is remembered, an unknown one is an error result', async () => {
    const key = `color-${crypto.randomUUID().slice(0, 8)}`
    expect((await client.call('get_preference', { name: key })).isError).toBe(true)
    await client.call('set_preference', { name: key, value: 'blue', ttl_seconds: 60 })
    const { structuredContent } = await client.call('get_preference', { name: key })
    expect(structuredContent).toEqual({ name: key, value: 'blue' })
  })

  test('increment adds up', async () => {
    const counter = `c-${crypto.randomUUID().slice(0, 8)}`
    await client.call('increment', { counter })
    const { structuredContent } = await client.call('increment', { counter, by: 41 })
    expect(structuredContent).toEqual({ counter, value: 42 })
  })

  test('a note is found by its text, and only by it', async () => {
    const word = crypto.randomUUID()
    const added = await client.call('add_note', { text: `100% ${word}_x` })
    expect(added.structuredContent).toMatchObject({ replayed: false })
    const notes = async (query: string) => {
      const { structuredContent } = await client.call('search_notes', { query })
      return (structuredContent as { notes: { text: string }[] }).notes.map(({ text }) => text)
    }
    expect(await notes(`${word}_x`)).toEqual([`100% ${word}_x`])
    // % and _ are characters here: as wildcards, both would match.
    expect(await notes(`1%${word}`)).toEqual([])
    expect(await notes(`${word.slice(0, -1)}_`)).toEqual([])
  })

  test('the same idempotency key saves one note', async () => {
    const idempotency_key = crypto.randomUUID()
    const call = () => client.call('add_note', { text: idempotency_key, idempotency_key })
    const first = (await call()).structuredContent as { id: string }
    const second = (await call()).structuredContent
    expect(second).toEqual({ id: first.id, replayed: true })
    const found = await client.call('search_notes', { query: idempotency_key })
    expect((found.structuredContent as { notes: unknown[] }).notes).toHaveLength(1)
  })

  test('hidden characters are refused', async () => {
    const answer = await client.call('add_note', { text: 'safe\u202Etxt.exe' })
    expect(answer.isError).toBe(true)
    expect(textOf(answer)).toContain('Control characters are not allowed')
  })

  test('a job is processing at once, done later, and retried when it fails', async () => {
    const started = await client.call('start_job', { task: 'flaky', input: 'one two three' })
    const { id, status } = started.structuredContent as { id: string; status: string }
    expect(status).toBe('processing')
    const job = await until('job done', async () => {
      const { structuredContent } = await client.call('get_job', { id })
      return (structuredContent as { status: string }).status === 'done' && structuredContent
    })
    expect(job).toEqual({ id, task: 'flaky', status: 'done', attempts: 2, result: '3' })
  })

  test('progress, sleep and log answer', async () => {
    expect((await client.call('progress', { steps: 2 })).structuredContent).toEqual({ steps: 2 })
    expect((await client.call('sleep', { ms: 1 })).structuredContent).toEqual({ slept_ms: 1 })
    expect((await client.call('log')).isError).toBeFalsy()
  })

  test('big returns exactly the bytes that were asked for', async () => {
    expect(textOf(await client.call('big', { bytes: 3_000_000 }))).toHaveLength(3_000_000)
  })

  test('crash is masked', async () => {
    const answer = await client.call('crash')
    expect(answer.isError).toBe(true)
    expect(textOf(answer)).toBe('Internal error')
    expect(JSON.stringify(answer)).not.toContain('must stay in the log')
  })

  test('an unknown tool is an error', async () => {
    await expect(client.call('no_such_tool')).rejects.toThrow(/no_such_tool/)
  })

  test('without sign-in the administrator’s tool is not there', async () => {
    expect(await client.toolNames()).not.toContain('delete_all_notes')
  })
})

test('what crash threw is in the log, once, with its stack', async () => {
  const client = await connectV2(`${worker.url}/mcp`, 'modern')
  await client.callTool({ name: 'crash', arguments: {} })
  const line = await until('log line', () =>
    worker.logs.find(({ event, tool }) => event === 'tool_failed' && tool === 'crash'),
  )
  expect(line).toMatchObject({ level: 'error', error: 'Error: this message must stay in the log' })
  await client.close()
})

test('no log line carries an argument', async () => {
  const client = await connectV2(`${worker.url}/mcp`, 'modern')
  const text = `secret-${crypto.randomUUID()}`
  await client.callTool({ name: 'add_note', arguments: { text } })
  await client.close()
  await until('log line', () => worker.logs.find(({ tool }) => tool === 'add_note'))
  expect(JSON.stringify(worker.logs)).not.toContain(text)
})

test('a job that never succeeds fails after its last attempt', async () => {
  const client = await connectV2(`${worker.url}/mcp`, 'modern')
  const started = await client.callTool({
    name: 'start_job',
    arguments: { task: 'hopeless', input: 'x', idempotency_key: 'hopeless-1' },
  })
  const { id } = started.structuredContent as { id: string }
  const again = await client.callTool({
    name: 'start_job',
    arguments: { task: 'hopeless', input: 'x', idempotency_key: 'hopeless-1' },
  })
  expect(again.structuredContent).toMatchObject({ id, replayed: true })
  const job = await until('job failed', async () => {
    const { structuredContent } = await client.callTool({ name: 'get_job', arguments: { id } })
    return (structuredContent as { status: string }).status === 'failed' && structuredContent
  })
  expect(job).toMatchObject({ attempts: 3, result: null })
  await client.close()
})

test('a missing secret is an error result that says what to do', async () => {
  const bare = await startWorker({ flavour: 'public', vars: { DEMO_API_KEY: undefined } })
  const client = await connectV2(`${bare.url}/mcp`, 'modern')
  const answer = await client.callTool({ name: 'secret_check', arguments: {} })
  expect(answer.isError).toBe(true)
  expect(textOf(answer)).toContain('wrangler secret put DEMO_API_KEY')
  await client.close()
  await bare.stop()
})
