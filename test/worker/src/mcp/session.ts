import { DurableObject } from 'cloudflare:workers'
import type { ServerEvent } from '@modelcontextprotocol/server'
import { packCaller, readCaller, unpackCaller, type Caller } from '../caller.ts'
import type { Env } from '../env.ts'
import { ALARM_SLACK, SESSION_TTL_S } from '../limits.ts'
import { logEvent } from '../log.ts'
import { ownerState } from '../owner-stub.ts'
import { sessionNotFound } from '../rpc-error.ts'
import type { LiveSession, SessionParts } from './live.ts'
import { openSse } from './sse.ts'
import { isInitialized, openStreamable } from './streamable.ts'

const CALLER_KEY = 'caller'

/**
 * One session of the initialize era. The object may be evicted between two requests: what counts
 * is in its storage, and what is in memory is made again from there.
 */
export class McpSession extends DurableObject<Env> {
  #live: Promise<LiveSession> | undefined

  override async fetch(request: Request): Promise<Response> {
    const caller = readCaller(request.headers)
    const { pathname } = new URL(request.url)
    if (pathname === '/sse') return this.#openSse(caller)
    const overSse = pathname === '/sse/message'
    const fresh = !overSse && request.method === 'POST' && !request.headers.has('mcp-session-id')
    const known = overSse ? this.#live !== undefined : fresh || isInitialized(this.ctx.storage)
    if (!known) return sessionNotFound()
    const opener = this.#opener()
    // To anybody else the session does not exist.
    if (opener !== undefined && opener.owner !== caller.owner) return sessionNotFound()
    const session = await this.#open(opener ?? caller)
    const response = await session.handle(request, caller)
    if (request.method === 'DELETE' && response.ok) await this.#end('deleted')
    else if (fresh && !isInitialized(this.ctx.storage)) await this.#end('refused')
    else await this.#touch(opener === undefined ? caller : undefined)
    return response
  }

  /** Sends a change notification to the client; false when there is no such session any more. */
  async announce(event: ServerEvent): Promise<boolean> {
    const opener = this.#opener()
    if (opener === undefined) return false
    if (this.#live === undefined && !isInitialized(this.ctx.storage)) return false
    const { server } = (await this.#open(opener)).server
    switch (event.kind) {
      case 'resource_updated':
        await server.sendResourceUpdated({ uri: event.uri })
        return true
      case 'resources_list_changed':
        await server.sendResourceListChanged()
        return true
      case 'tools_list_changed':
        await server.sendToolListChanged()
        return true
      case 'prompts_list_changed':
        await server.sendPromptListChanged()
        return true
    }
  }

  /** Ends every open stream of the session. */
  async dropStreams(): Promise<void> {
    if (this.#live !== undefined) (await this.#live).dropStreams()
  }

  /** Throws the object out of memory, as the platform may do at any time. */
  async evict(): Promise<void> {
    this.ctx.abort('evicted')
  }

  /** Deletes the session, as its alarm would. */
  async expire(): Promise<void> {
    await this.#end('expired')
  }

  override async alarm(): Promise<void> {
    await this.#end('expired')
  }

  #open(caller: Caller): Promise<LiveSession> {
    this.#live ??= openStreamable(this.#parts(caller)).catch((thrown: unknown) => {
      this.#live = undefined
      throw thrown
    })
    return this.#live
  }

  async #openSse(caller: Caller): Promise<Response> {
    const opening = openSse(this.#parts(caller), () => void this.#end('closed'))
    this.#live = opening
    await this.#touch(caller)
    return (await opening).stream
  }

  #parts(caller: Caller): SessionParts {
    const { storage, id } = this.ctx
    return { env: this.env, storage, sessionId: id.toString(), caller }
  }

  /** Who opened the session; absent when there is none. */
  #opener(): Caller | undefined {
    const packed = this.ctx.storage.kv.get<string>(CALLER_KEY)
    return packed === undefined ? undefined : unpackCaller(packed)
  }

  /** Moves the end of the session; with an opener, begins it. */
  async #touch(opener?: Caller): Promise<void> {
    const { storage } = this.ctx
    if (opener !== undefined) storage.kv.put(CALLER_KEY, packCaller(opener))
    const ttl = Number(this.env.SESSION_TTL_S ?? SESSION_TTL_S) * 1000
    const due = Date.now() + ttl
    const set = await storage.getAlarm()
    if (set === null || due - set > ttl * ALARM_SLACK) await storage.setAlarm(due)
  }

  async #end(reason: string): Promise<void> {
    const live = this.#live
    this.#live = undefined
    const { storage, id } = this.ctx
    const opener = this.#opener()
    await storage.deleteAlarm()
    await storage.deleteAll()
    if (opener !== undefined) await ownerState(this.env, opener.owner).unwatch(id.toString())
    if (live !== undefined) await (await live).close()
    if (opener !== undefined) logEvent('info', 'session_ended', { reason })
  }
}
