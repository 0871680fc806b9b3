import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { readBody } from '../../src/http/body.ts'
import { createHttpClient, type HttpRequest } from '../../src/http/client.ts'
import { plainNetwork } from '../support/network.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

/** A connection that has been idle for so long may be doubted. */
const IDLE_MS = 60

/** A client that reaches a server through something that can forget its connections. */
async function start(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  let requests = 0
  let dead = 0
  const server = createServer((request, response) => {
    requests++
    request.resume()
    handler(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await startTcpProxy((server.address() as AddressInfo).port)
  const client = createHttpClient(plainNetwork())
  client.onDead(() => void dead++)
  onTestFinished(async () => {
    await client.destroy()
    server.close()
    server.closeAllConnections()
  })
  const url = new URL(`http://127.0.0.1:${proxy.port}/mcp`)
  async function ask(repeatable: boolean, more: Partial<HttpRequest> = {}): Promise<string> {
    const body = [Buffer.from('{}')]
    const may = (): boolean => repeatable
    const request: HttpRequest = {
      method: 'POST',
      url,
      headers: {},
      body,
      repeatable: may,
      ...more,
    }
    return (await readBody(await client.send(request), 100)).toString()
  }
  return { ask, proxy, requests: () => requests, dead: () => dead }
}

test('a forgotten connection costs a moment, and the others of its age are not trusted either', async () => {
  const { ask, proxy, requests, dead } = await start((_request, response) => response.end('here'))
  expect(await ask(true)).toBe('here')
  await sleep(IDLE_MS)
  proxy.forget()
  expect(await ask(true, { signal: AbortSignal.timeout(4_000) })).toBe('here')
  expect(proxy.count).toBe(2)
  expect(requests()).toBe(2)
  // On a busy machine the second answer may be slow, too, and then nothing is concluded from it.
  for (let more = 0; dead() === 0 && more < 10; more++) {
    await sleep(IDLE_MS)
    proxy.forget()
    await ask(true)
  }
  expect(dead()).toBe(1)
})

test('what must not happen twice is never sent twice, however silent its connection is', async () => {
  const { ask, proxy, requests, dead } = await start((_request, response) => response.end('here'))
  await ask(true)
  await sleep(IDLE_MS)
  proxy.forget()
  await expect(ask(false, { signal: AbortSignal.timeout(1_000) })).rejects.toThrow(/timeout/i)
  expect(requests()).toBe(1)
  expect(dead()).toBe(0)
})

test('a server that takes its time is asked twice once, and then waited for', async () => {
  let slow = false
  const { ask, requests, dead } = await start((_request, response) => {
    setTimeout(() => response.end('here'), slow ? 600 : 0)
  })
  await ask(true)
  slow = true
  await sleep(IDLE_MS)
  expect(await ask(true)).toBe('here')
  expect(requests()).toBe(3)
  await sleep(IDLE_MS)
  expect(await ask(true)).toBe('here')
  expect(requests()).toBe(4)
  expect(dead()).toBe(0)
})

test('a forgotten connection and a network that is gone are one failure', async () => {
  const { ask, proxy } = await start((_request, response) => response.end('here'))
  await ask(true)
  await sleep(IDLE_MS)
  proxy.forget()
  const answer = ask(true)
  setTimeout(() => proxy.cut(), 100)
  proxy.refuse(true)
  await expect(answer).rejects.toMatchObject({
    code: expect.stringMatching(/ECONN|UND_ERR/) as string,
  })
})

test('what opens a session is sent once: a second one would be left behind', async () => {
  const { ask, proxy, requests } = await start((_request, response) => response.end('here'))
  await ask(true)
  await sleep(IDLE_MS)
  proxy.forget()
  const opening = ask(true, { opens: true, signal: AbortSignal.timeout(1_000) })
  await expect(opening).rejects.toThrow(/timeout/i)
  expect(requests()).toBe(1)
})
