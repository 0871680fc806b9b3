import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { connectV2 } from './support/clients.ts'
import { openSession, readEvents, messagesIn, rpc } from './support/raw.ts'
import { until } from './support/until.ts'

let worker: RunningWorker
beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
})
afterAll(() => worker.stop())

const hook = (path: string) => fetch(`${worker.url}/__test/${path}`, { method: 'POST' })
const uniqueName = () => `s-${crypto.randomUUID().slice(0, 8)}`

describe.each(['/mcp', '/sse'])('a session at %s', (path) => {
  test('hears of the resource it subscribed to, until it unsubscribes', async () => {
    const [name, other] = [uniqueName(), uniqueName()]
    const client = await connectV2(worker.url + path, 'legacy')
    const updates: string[] = []
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      updates.push(params.uri)
    })
    const bump = (counter: string) => client.callTool({ name: 'increment', arguments: { counter } })
    await client.subscribeResource({ uri: `counter://${name}` })
    await client.subscribeResource({ uri: `counter://${other}` })
    await bump(name)
    await until('update', () => updates.length === 1)
    await client.unsubscribeResource({ uri: `counter://${name}` })
    await bump(name)
    await bump(other)
    await until('update of the other', () => updates.includes(`counter://${other}`))
    expect(updates).toEqual([`counter://${name}`, `counter://${other}`])
    await client.close()
  })

  test.each(['tools', 'prompts', 'resources'] as const)(
    'hears of a changed list of %s',
    async (kind) => {
      const client = await connectV2(worker.url + path, 'legacy')
      let heard = 0
      client.setNotificationHandler(`notifications/${kind}/list_changed`, () => {
        heard += 1
      })
      // The stream for notifications is opened beside the connection: push until it is there.
      await until('list_changed', async () => {
        await hook(`list-changed?kind=${kind}`)
        return heard > 0
      })
      expect(heard).toBeGreaterThan(0)
      await client.close()
    },
  )
})

test('an evicted session is woken up by the change that it subscribed to', async () => {
  const name = uniqueName()
  const session = await openSession(`${worker.url}/mcp`)
  const subscribed = await session.post(rpc(1, 'resources/subscribe', { uri: `counter://${name}` }))
  expect(await subscribed.text()).toContain('"result":{}')
  // An event of the stream for notifications is what a client resumes it from.
  const stream = await session.get()
  await hook('list-changed?kind=tools')
  const [event] = await readEvents(stream, 1)
  await hook(`evict?session=${session.id}`)
  const other = await connectV2(`${worker.url}/mcp`, 'modern')
  await other.callTool({ name: 'increment', arguments: { counter: name } })
  const resumed = await session.get({ 'last-event-id': event?.id ?? '' })
  const messages = messagesIn(await readEvents(resumed, 1))
  expect(messages).toMatchObject([
    { method: 'notifications/resources/updated', params: { uri: `counter://${name}` } },
  ])
  await other.close()
})

describe('in the modern era', () => {
  test('a listen stream hears of what it asked for', async () => {
    const name = uniqueName()
    const uri = `counter://${name}`
    const client = await connectV2(`${worker.url}/mcp`, 'modern')
    const heard: string[] = []
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      heard.push(params.uri)
    })
    client.setNotificationHandler('notifications/tools/list_changed', () => {
      heard.push('tools')
    })
    client.setNotificationHandler('notifications/prompts/list_changed', () => {
      heard.push('prompts')
    })
    const subscription = await client.listen({
      resourceSubscriptions: [uri],
      toolsListChanged: true,
    })
    await client.callTool({ name: 'increment', arguments: { counter: name } })
    await client.callTool({ name: 'increment', arguments: { counter: uniqueName() } })
    await hook('list-changed?kind=prompts')
    await hook('list-changed?kind=tools')
    await until('tools', () => heard.includes('tools'))
    expect(heard).toEqual([uri, 'tools'])
    await subscription.close()
    await client.close()
  })

  test('a job tells its subscriber when it is done', async () => {
    const client = await connectV2(`${worker.url}/mcp`, 'modern')
    const updates: string[] = []
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      updates.push(params.uri)
    })
    const run = async () => {
      const args = { task: 'flaky', input: 'one two' }
      const job = await client.callTool({ name: 'start_job', arguments: args })
      const uri = `job://${(job.structuredContent as { id: string }).id}`
      const subscription = await client.listen({ resourceSubscriptions: [uri] })
      const done = await until('job done', async () => {
        const [content] = (await client.readResource({ uri })).contents
        return content !== undefined && 'text' in content && /"done"/.test(content.text) && content
      })
      return { uri, subscription, done }
    }
    // The id exists only once the job has started, so a job may be over before it is watched.
    const heard = await until('a job that was watched in time', async () => {
      const { uri, subscription, done } = await run()
      await subscription.close()
      return updates.includes(uri) && done
    })
    expect(JSON.parse(heard.text)).toMatchObject({ status: 'done', result: '2' })
    await client.close()
  })

  test('a dropped listen stream ends, and a new one can be opened', async () => {
    const client = await connectV2(`${worker.url}/mcp`, 'modern')
    const first = await client.listen({ toolsListChanged: true })
    await hook('drop-streams')
    expect(await first.closed).toBeDefined()
    const second = await client.listen({ toolsListChanged: true })
    await second.close()
    await client.close()
  })
})
