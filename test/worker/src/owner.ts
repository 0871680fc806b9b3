import { DurableObject } from 'cloudflare:workers'
import {
  createMcpHandler,
  InMemoryServerEventBus,
  type McpHttpHandler,
  type McpServerFactory,
  type ServerEvent,
} from '@modelcontextprotocol/server'
import { readCaller } from './caller.ts'
import type { Env } from './env.ts'
import { errorFields, logEvent } from './log.ts'
import { createServer } from './mcp/server.ts'

/**
 * What belongs to one owner and must be consistent: counters, and who wants to hear of changes.
 * Streams of `subscriptions/listen` end here; sessions of the initialize era are told by RPC.
 */
export class OwnerState extends DurableObject<Env> {
  readonly #bus = new InMemoryServerEventBus()
  #listens = this.#newHandler()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS watchers (
        uri TEXT NOT NULL, session TEXT NOT NULL, PRIMARY KEY (uri, session));
    `)
  }

  /** Serves `subscriptions/listen`. */
  override async fetch(request: Request): Promise<Response> {
    const { authInfo } = readCaller(request.headers)
    return this.#listens.fetch(request, authInfo === undefined ? {} : { authInfo })
  }

  /** Ends every open listen stream. */
  async dropStreams(): Promise<void> {
    const ended = this.#listens
    this.#listens = this.#newHandler()
    await ended.close()
  }

  /** Adds to a counter and tells whoever watches it. */
  async increment(name: string, by: number): Promise<number> {
    const row = this.ctx.storage.sql
      .exec<{ value: number }>(
        `INSERT INTO counters (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = value + ?2 RETURNING value`,
        name,
        by,
      )
      .one()
    await this.publish({ kind: 'resource_updated', uri: `counter://${name}` })
    return row.value
  }

  /** All counters by name. */
  async counters(): Promise<Record<string, number>> {
    const rows = this.ctx.storage.sql.exec<{ name: string; value: number }>(
      'SELECT name, value FROM counters ORDER BY name',
    )
    return Object.fromEntries([...rows].map(({ name, value }) => [name, value]))
  }

  /** Notes that a session wants updates of a resource. */
  async watch(uri: string, session: string): Promise<void> {
    this.ctx.storage.sql.exec('INSERT OR IGNORE INTO watchers VALUES (?, ?)', uri, session)
  }

  /** Ends one subscription of a session, or all of them. */
  async unwatch(session: string, uri?: string): Promise<void> {
    const { sql } = this.ctx.storage
    if (uri === undefined) sql.exec('DELETE FROM watchers WHERE session = ?', session)
    else sql.exec('DELETE FROM watchers WHERE session = ? AND uri = ?', session, uri)
  }

  /** Tells listen streams, and the sessions that subscribed to the resource. */
  async publish(event: ServerEvent): Promise<void> {
    this.#bus.publish(event)
    if (event.kind !== 'resource_updated') return
    const rows = this.ctx.storage.sql.exec<{ session: string }>(
      'SELECT session FROM watchers WHERE uri = ?',
      event.uri,
    )
    await Promise.all([...rows].map(({ session }) => this.#tell(session, event)))
  }

  #newHandler(): McpHttpHandler {
    const factory: McpServerFactory = ({ era, requestInfo }) => {
      if (requestInfo === undefined) throw new TypeError('a listen stream without its request')
      return createServer({ env: this.env, caller: readCaller(requestInfo.headers), era })
    }
    return createMcpHandler(factory, { legacy: 'reject', bus: this.#bus })
  }

  async #tell(session: string, event: ServerEvent): Promise<void> {
    const { SESSIONS } = this.env
    try {
      const known = await SESSIONS.get(SESSIONS.idFromString(session)).announce(event)
      if (!known) await this.unwatch(session)
    } catch (thrown) {
      logEvent('warn', 'announce_failed', errorFields(thrown))
    }
  }
}
