import {
  ResourceNotFoundError,
  ResourceTemplate,
  type McpServer,
  type ReadResourceResult,
} from '@modelcontextprotocol/server'
import { findJob } from './jobs.ts'
import { ownerState } from './owner-stub.ts'
import { callerAt, type Place } from './place.ts'

const JSON_TYPE = 'application/json'

/** Puts the resource and the templates on a server. */
export function registerResources(server: McpServer, place: Place): void {
  const { env } = place

  server.registerResource(
    'about',
    'server://about',
    { title: 'About this server', mimeType: JSON_TYPE, description: 'What serves you, and how.' },
    (uri) =>
      asJson(uri, {
        name: 'bridge-worker',
        era: place.era,
        session: place.sessionId !== undefined,
      }),
  )

  server.registerResource(
    'counter',
    new ResourceTemplate('counter://{name}', {
      async list(ctx) {
        const names = Object.keys(await ownerState(env, callerAt(place, ctx).owner).counters())
        return { resources: names.map((name) => ({ name, uri: `counter://${name}` })) }
      },
      complete: {
        // Completion has no call to take a token from; it shows the opener of the server its names.
        async name(typed) {
          const names = Object.keys(await ownerState(env, place.caller.owner).counters())
          return names.filter((name) => name.startsWith(typed))
        },
      },
    }),
    { title: 'Counter', mimeType: JSON_TYPE, description: 'The value that increment changes.' },
    async (uri, { name }, ctx) => {
      const counters = await ownerState(env, callerAt(place, ctx).owner).counters()
      return asJson(uri, { name, value: counters[String(name)] ?? 0 })
    },
  )

  server.registerResource(
    'job',
    new ResourceTemplate('job://{id}', { list: undefined }),
    { title: 'Job', mimeType: JSON_TYPE, description: 'A job and, when it is done, its result.' },
    async (uri, { id }, ctx) => {
      const job = await findJob(env, callerAt(place, ctx).owner, String(id))
      if (job === undefined) throw new ResourceNotFoundError(uri.href)
      return asJson(uri, job)
    },
  )
}

/**
 * Lets a session subscribe. In the modern era this is a `subscriptions/listen` stream, which the
 * owner's object serves; without a session there is nowhere to send an update.
 */
export function allowSubscriptions(server: McpServer, place: Place): void {
  const { env, caller, sessionId, era } = place
  if (era === 'modern' || sessionId !== undefined) {
    server.server.registerCapabilities({ resources: { subscribe: true } })
  }
  if (sessionId === undefined) return
  const owner = ownerState(env, caller.owner)
  server.server.setRequestHandler('resources/subscribe', async ({ params }) => {
    await owner.watch(params.uri, sessionId)
    return {}
  })
  server.server.setRequestHandler('resources/unsubscribe', async ({ params }) => {
    await owner.unwatch(sessionId, params.uri)
    return {}
  })
}

function asJson(uri: URL, value: unknown): ReadResourceResult {
  return { contents: [{ uri: uri.href, mimeType: JSON_TYPE, text: JSON.stringify(value) }] }
}
