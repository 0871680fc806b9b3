import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Tapped } from '../support/tap-server.ts'
import { until } from '../support/until.ts'
import type { Exercise, Pairing } from './features.ts'

const MODERN = '2026-07-28'
const META = 'io.modelcontextprotocol/'

/** A call of a tool. */
export interface Call {
  readonly name: string
  readonly arguments: Record<string, unknown>
}

/** The JSON of what a tool has said. */
const said = (result: object): string => JSON.stringify((result as { content: unknown }).content)

/** Lists the tools, calls one, and one that does not exist. */
export function tools(call: Call, text: RegExp): Exercise {
  return async ({ peer: { client } }) => {
    await listed(call.name, client)
    assert.match(said(await client.callTool(call)), text)
    // SDK v1 servers answer with a result that says so, others with an error.
    const wrong = await client.callTool({ name: 'nothing', arguments: {} }).catch(String)
    assert.match(JSON.stringify(wrong), /nothing/)
  }
}

/** Servers may offer a tool only when they know what the client can do. */
async function listed(name: string, client: Pairing['peer']['client']): Promise<void> {
  await until(`the tool ${name}`, async () =>
    (await client.listTools()).tools.some((tool) => tool.name === name),
  )
}

const DIGITS = '12345678901234567890'

/** A number that no double holds reaches the server, and what it answers reaches the host. */
export function numbers(
  name: string,
  argumentsWith: (digits: string) => string,
  more: readonly string[] = [],
): Exercise {
  return async ({ peer, hostEra, tapped }) => {
    const id = randomUUID()
    const meta =
      hostEra === 'legacy'
        ? ''
        : `,"_meta":{"${META}protocolVersion":"${MODERN}","${META}clientCapabilities":{}}`
    const params = `{"name":"${name}","arguments":${argumentsWith(DIGITS)}${meta}}`
    peer.write(`{"jsonrpc":"2.0","id":"${id}","method":"tools/call","params":${params}}`)
    const isAnswer = ({ message }: Tapped): boolean => message['id'] === id && !message['method']
    const answer = await until('the answer', () => peer.messages.find(isAnswer))
    const asked = tapped().find(
      ({ from, text }) => from === 'client' && text.includes(`:${DIGITS}`),
    )
    assert.ok(asked, `${DIGITS} did not reach the server`)
    const remote = tapped().find(
      ({ from, message }) => from === 'server' && message['id'] === asked.message['id'],
    )
    assert.ok(remote?.message['result'], 'the server has no result')
    assert.deepEqual(numbersIn(answer.text), numbersIn(remote.text))
    for (const part of more) assert.ok(answer.text.includes(part), `${part} is missing`)
  }
}

/** The numbers of a JSON text outside strings, without the message's id. */
function numbersIn(text: string): string[] {
  const tokens = text.replace(/"id":\d+/, '').match(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)
  return tokens!.filter((token) => !token.startsWith('"'))
}

/** A result with a structure beside its text. */
export function structured(call: Call, expected: object): Exercise {
  return async ({ peer: { client } }) => {
    const { structuredContent } = await client.callTool(call)
    assert.deepEqual(structuredContent, expected)
  }
}

/** Three reports of progress while a call runs. */
export function progress(call: Call): Exercise {
  return async ({ peer }) => {
    const before = peer.messages.length
    let reported = 0
    await peer.client.callTool(call, { onprogress: () => reported++ })
    const method = 'notifications/progress'
    const reports = peer.messages.slice(before).filter((one) => one.message['method'] === method)
    const steps = reports.map(({ message }) => (message['params'] as { progress: number }).progress)
    assert.equal(steps.length, 3)
    assert.deepEqual(
      steps,
      steps.toSorted((a, b) => a - b),
    )
    // Both SDKs drop a report that they read together with the answer behind it.
    assert.ok(reported <= 3)
  }
}

/** Log messages at a level that the host has asked for. */
export function logs(call: Call, level: 'debug' | 'warning' | 'critical', text: RegExp): Exercise {
  return async ({ peer: { client, notes }, hostEra }) => {
    if (hostEra === 'legacy') {
      await client.setLoggingLevel(level)
      await client.callTool(call)
    } else {
      await client.callTool({ ...call, _meta: { [`${META}logLevel`]: level } })
    }
    await until('a log message', () =>
      notes.some(
        ({ method, params }) =>
          method === 'notifications/message' && text.test(JSON.stringify(params?.['data'])),
      ),
    )
  }
}

/** Lists, templates, a resource, and one that does not exist. */
export function resources(uri: string, text: RegExp, missing: string): Exercise {
  return async ({ peer: { client } }) => {
    assert.ok((await client.listResources()).resources.length > 0)
    assert.ok((await client.listResourceTemplates()).resourceTemplates.length > 0)
    assert.match(JSON.stringify(await client.readResource({ uri })), text)
    await assert.rejects(client.readResource({ uri: missing }), /not found|nowhere/i)
  }
}

/** The stream on which a server says what nobody has asked for is open. */
async function heard(pairing: Pairing): Promise<void> {
  const acknowledged = 'notifications/subscriptions/acknowledged'
  await until('the stream of the server', () =>
    pairing.serverEra === 'legacy'
      ? pairing.streams() > 0
      : pairing.tapped().some(({ message }) => message['method'] === acknowledged),
  )
}

/** An update of a resource that the host has subscribed to, and none when it no longer is. */
export function updates(
  makeUri: () => string,
  change: (pairing: Pairing, uri: string) => Promise<unknown>,
): Exercise {
  return async (pairing) => {
    const { client, notes } = pairing.peer
    const uri = makeUri()
    const isUpdated = (): boolean =>
      notes.some(
        ({ method, params }) =>
          method === 'notifications/resources/updated' && params?.['uri'] === uri,
      )
    const end = await subscribe()
    await heard(pairing)
    await change(pairing, uri)
    await until('the update', isUpdated)
    await end()

    async function subscribe(): Promise<() => Promise<unknown>> {
      if (pairing.hostEra === 'modern') {
        const subscription = await client.listen({ resourceSubscriptions: [uri] })
        assert.deepEqual(subscription.honoredFilter, { resourceSubscriptions: [uri] })
        return () => subscription.close()
      }
      await client.subscribeResource({ uri })
      return () => client.unsubscribeResource({ uri })
    }
  }
}

/** A list that changes while the host is there. */
export function lists(
  kind: 'tools' | 'resources',
  change: (pairing: Pairing) => Promise<unknown>,
): Exercise {
  return async (pairing) => {
    const { client, notes } = pairing.peer
    const before = notes.length
    const subscription =
      pairing.hostEra === 'modern'
        ? await client.listen({ [`${kind}ListChanged`]: true })
        : undefined
    await heard(pairing)
    await change(pairing)
    await until('the change', () =>
      notes.slice(before).some(({ method }) => method === `notifications/${kind}/list_changed`),
    )
    await subscription?.close()
  }
}

/** Prompts: the list and one of them. */
export function prompts(name: string, args: Record<string, string>, text: RegExp): Exercise {
  return async ({ peer: { client } }) => {
    const { prompts: offered } = await client.listPrompts()
    assert.ok(offered.some((prompt) => prompt.name === name))
    assert.match(JSON.stringify(await client.getPrompt({ name, arguments: args })), text)
  }
}

/** What an argument of a prompt can be. */
export function completion(
  prompt: string,
  argument: { name: string; value: string },
  values: readonly string[],
  context?: { arguments: Record<string, string> },
): Exercise {
  return async ({ peer: { client } }) => {
    const ref = { type: 'ref/prompt' as const, name: prompt }
    const answer = await client.complete({ ref, argument, ...(context && { context }) })
    assert.deepEqual(answer.completion.values, values)
  }
}

/** A tool for which the server has to ask the host something. */
export function asks(method: string, call: Call, text: RegExp): Exercise {
  return async ({ peer: { client, asked } }) => {
    await listed(call.name, client)
    assert.match(said(await client.callTool(call)), text)
    assert.ok(asked.includes(method), `${method} did not reach the host`)
  }
}

/** A call that is cancelled is one for the server too, and the link lives on. */
export function cancels(
  makeCall: (key: string) => Call,
  hanging?: (key: string) => boolean,
): Exercise {
  return async ({ peer: { client }, serverEra, tapped, closed }) => {
    const key = randomUUID()
    const call = makeCall(key)
    const isSent = ({ from, message }: Tapped): boolean =>
      from === 'client' && (message['params'] as { name?: string } | undefined)?.name === call.name
    const before = tapped().filter(isSent).length
    const abort = new AbortController()
    const reason = client.callTool(call, { signal: abort.signal }).catch(String)
    const sent = await until('the call', () => tapped().filter(isSent)[before])
    if (hanging !== undefined) await until('the tool', () => hanging(key))
    abort.abort('enough')
    assert.match(JSON.stringify(await reason), /enough/)
    const { id } = sent.message
    await until('the cancellation', () =>
      serverEra === 'modern'
        ? closed().includes(id)
        : tapped().some(
            ({ message: { method, params } }) =>
              method === 'notifications/cancelled' &&
              (params as { requestId?: unknown }).requestId === id,
          ),
    )
    if (hanging !== undefined) await until('its end', () => !hanging(key))
    await client.listTools()
  }
}
