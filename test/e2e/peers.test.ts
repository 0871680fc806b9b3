import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEverything } from '../support/everything.mjs'
import { atThisPace } from '../support/pace.ts'
import { connectV1, connectV2, type Peer } from '../support/peers.ts'

const CLIENTS: readonly { client: string; connect: (url: string) => Promise<Peer> }[] = [
  { client: 'SDK v1', connect: connectV1 },
  { client: 'SDK v2', connect: (url) => connectV2(url) },
  { client: 'SDK v2, asking for the newest', connect: (url) => connectV2(url, { mode: 'auto' }) },
]

const servers = new Map<string, { url: string; stop(): void }>()
beforeAll(async () => {
  servers.set('streamableHttp', await startEverything('streamableHttp'))
  servers.set('sse', await startEverything('sse'))
})
afterAll(() => {
  for (const { stop } of servers.values()) stop()
})

/** The text of a tool's result. */
function textOf(result: unknown): string {
  const { content } = result as { content: { type: string; text?: string }[] }
  return content.map(({ text }) => text ?? '').join('\n')
}

describe.each(['streamableHttp', 'sse'])('server-everything over %s', (mode) => {
  describe.each(CLIENTS)('with $client', ({ connect }) => {
    test('tools: list, call, structured content, errors', async () => {
      const { client } = await connect(servers.get(mode)!.url)
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name)).toContain('echo')
      const message = 'é\u2028🎉 "quoted"\n'
      const echo = await client.callTool({ name: 'echo', arguments: { message } })
      expect(textOf(echo)).toBe(`Echo: ${message}`)
      const weather = { name: 'get-structured-content', arguments: { location: 'Chicago' } }
      expect((await client.callTool(weather)).structuredContent).toMatchObject({ temperature: 36 })
      const image = await client.callTool({ name: 'get-tiny-image', arguments: {} })
      expect(JSON.stringify(image)).toContain('"image/png"')
      const wrong = await client.callTool({ name: 'get-sum', arguments: { a: 'x', b: 1 } })
      expect(wrong.isError).toBe(true)
    })

    test('progress, and cancellation in the middle of it', async () => {
      const { client } = await connect(servers.get(mode)!.url)
      const steps: number[] = []
      const quick = {
        name: 'trigger-long-running-operation',
        arguments: { duration: 0.4, steps: 4 },
      }
      const done = await client.callTool(quick, {
        onprogress: ({ progress }) => steps.push(progress),
      })
      expect(textOf(done)).toContain('completed')
      // Both SDKs drop a progress notification that they read together with the answer behind it.
      expect(steps).toEqual([1, 2, 3, 4].slice(0, Math.max(1, steps.length)))

      const abort = new AbortController()
      const slow = {
        name: 'trigger-long-running-operation',
        arguments: { duration: 60, steps: 600 },
      }
      const cancelled = client.callTool(slow, {
        signal: abort.signal,
        onprogress: () => abort.abort('enough'),
      })
      await expect(cancelled).rejects.toThrow(/enough/)
      await client.ping()
      expect(
        textOf(await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 3 } })),
      ).toContain('5')
    })

    test('resources: list, templates, read, subscribe and updates, a changed list', async () => {
      const { client, notes } = await connect(servers.get(mode)!.url)
      expect((await client.listResources()).resources.length).toBeGreaterThan(0)
      expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(2)
      const uri = 'demo://resource/dynamic/text/1'
      const { contents } = await client.readResource({ uri })
      expect(JSON.stringify(contents)).toContain('Resource 1')
      await expect(client.readResource({ uri: 'demo://resource/nowhere' })).rejects.toThrow(
        /not found/i,
      )

      await client.subscribeResource({ uri })
      await client.callTool({ name: 'toggle-subscriber-updates', arguments: {} })
      await expect
        .poll(() => notes.find(({ method }) => method === 'notifications/resources/updated'))
        .toMatchObject({ params: { uri } })
      await client.unsubscribeResource({ uri })

      const data = 'data:text/plain,hello'
      await client.callTool({ name: 'gzip-file-as-resource', arguments: { name: 'a.gz', data } })
      await expect
        .poll(() => notes.map(({ method }) => method))
        .toContain('notifications/resources/list_changed')
      const { resources } = await client.listResources()
      expect(resources.map(({ name }) => name)).toContain('a.gz')
    })

    test('prompts, completion and logging', async () => {
      const { client, notes } = await connect(servers.get(mode)!.url)
      const { prompts } = await client.listPrompts()
      expect(prompts.map(({ name }) => name)).toContain('completable-prompt')
      const args = { department: 'Sales', name: 'Eve' }
      const prompt = await client.getPrompt({ name: 'completable-prompt', arguments: args })
      expect(JSON.stringify(prompt.messages)).toContain('Eve')
      const { completion } = await client.complete({
        ref: { type: 'ref/prompt', name: 'completable-prompt' },
        argument: { name: 'name', value: 'A' },
        context: { arguments: { department: 'Engineering' } },
      })
      expect(completion.values).toEqual(['Alice'])

      await client.setLoggingLevel('debug')
      const uri = 'demo://resource/dynamic/text/2'
      await client.subscribeResource({ uri })
      await expect
        .poll(() =>
          JSON.stringify(notes.filter(({ method }) => method === 'notifications/message')),
        )
        .toContain(uri)
    })

    test('the server asks: sampling, elicitation and roots', async () => {
      const { client, asked } = await connect(servers.get(mode)!.url)
      await expect
        .poll(async () => (await client.listTools()).tools.map(({ name }) => name))
        .toContain('trigger-sampling-request')
      const prompt = { prompt: 'hi', maxTokens: 5 }
      const sampled = await client.callTool({ name: 'trigger-sampling-request', arguments: prompt })
      expect(textOf(sampled)).toContain('sampled text')
      const elicited = await client.callTool({ name: 'trigger-elicitation-request', arguments: {} })
      expect(textOf(elicited)).toContain('Name: Ada')

      // The server asks for the roots a moment after the start, and again whenever they change.
      const rootsAsked = (): number => asked.filter((method) => method === 'roots/list').length
      await expect.poll(rootsAsked, { timeout: 5_000 }).toBe(1)
      const roots = await client.callTool({ name: 'get-roots-list', arguments: {} })
      expect(textOf(roots)).toContain('file:///home/one')
      await client.sendRootsListChanged()
      await expect.poll(rootsAsked, { timeout: 5_000 }).toBe(2)
      expect(asked).toContain('sampling/createMessage')
      expect(asked).toContain('elicitation/create')
    })

    test('closing takes no longer than the bridge needs, and needs no force', async () => {
      const { client, close } = await connect(servers.get(mode)!.url)
      await client.ping()
      const since = Date.now()
      await close()
      // Both SDKs wait two seconds before they send a signal.
      expect(Date.now() - since).toBeLessThan(await atThisPace(1_500))
    })
  })
})
