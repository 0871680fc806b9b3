import type { ServerEvent } from '@modelcontextprotocol/server'
import { isLoopback } from './cors.ts'
import type { Env } from './env.ts'
import { clearFaults, faultFor, orderFault, type Next } from './faults.ts'
import type { McpSession } from './mcp/session.ts'
import { ownerState } from './owner-stub.ts'

/** Answers one `/__test/<name>` request. */
export type Hook = (url: URL, env: Env) => Promise<Response>

// What passed through this isolate, for hooks that name no session. Filled on a local run only.
const seenSessions = new Set<string>()
const seenOwners = new Set<string>()

const kinds: Readonly<Record<string, ServerEvent>> = {
  tools: { kind: 'tools_list_changed' },
  prompts: { kind: 'prompts_list_changed' },
  resources: { kind: 'resources_list_changed' },
}

const hooks: Readonly<Record<string, Hook>> = {
  sessions: async () => Response.json([...seenSessions]),
  evict: (url, env) => onSessions(url, env, (session) => session.evict()),
  expire: (url, env) => onSessions(url, env, (session) => session.expire()),
  async 'drop-streams'(url, env) {
    for (const owner of seenOwners) await ownerState(env, owner).dropStreams()
    return onSessions(url, env, (session) => session.dropStreams())
  },
  async 'list-changed'(url, env) {
    const event = kinds[url.searchParams.get('kind') ?? 'tools']
    if (event === undefined) return bad(`kind must be one of ${Object.keys(kinds).join(', ')}`)
    for (const owner of seenOwners) await ownerState(env, owner).publish(event)
    return onSessions(url, env, (session) => session.announce(event))
  },
  async fail(url) {
    const wrong = orderFault(url.searchParams)
    return wrong === undefined ? Response.json({ ordered: true }) : bad(wrong)
  },
  async reset() {
    clearFaults()
    return Response.json({ reset: true })
  },
}

/** Whether the test hooks exist at all: asked for, and reached over a loopback address. */
export function hooksAreOpen(url: URL, env: Env): boolean {
  return env.TEST_HOOKS === '1' && isLoopback(url)
}

/** Remembers a session and its owner, so that a test can act on them without knowing them. */
export function noteSession(url: URL, env: Env, owner: string, session?: string): void {
  if (!hooksAreOpen(url, env)) return
  seenOwners.add(owner)
  if (session !== undefined) seenSessions.add(session)
}

/** What takes over a request: a hook's own address, or trouble that a hook has ordered. */
export async function hookFor(
  request: Request,
  url: URL,
  env: Env,
  more: Readonly<Record<string, Hook>> = {},
): Promise<((next: Next) => Promise<Response>) | undefined> {
  if (!hooksAreOpen(url, env)) return undefined
  if (!url.pathname.startsWith('/__test/')) return faultFor(request)
  const name = url.pathname.slice('/__test/'.length)
  const hook = more[name] ?? hooks[name]
  return async () => (hook === undefined ? bad(`no hook is called ${name}`) : hook(url, env))
}

/** Does something to the session that the query names, or to all that were seen. */
async function onSessions(
  url: URL,
  { SESSIONS }: Env,
  act: (session: DurableObjectStub<McpSession>) => Promise<unknown>,
): Promise<Response> {
  const named = url.searchParams.get('session')
  const ids = named === null ? [...seenSessions] : [named]
  // An evicted object cannot answer any more, which is what was wanted.
  await Promise.allSettled(ids.map((id) => act(SESSIONS.get(SESSIONS.idFromString(id)))))
  return Response.json({ sessions: ids.length })
}

function bad(why: string): Response {
  return Response.json({ error: why }, { status: 400 })
}
