import { isModern } from '../era/vocabulary.ts'
import { valueAt } from '../json/locate.ts'
import { printable } from '../log.ts'
import { type Answer, discover, speaksSse } from './knock.ts'
import type { Server } from './server.ts'

/** What is spoken at an address. */
export type Spoken =
  /** Streamable HTTP with an `initialize`. */
  | { readonly kind: 'http'; readonly version: string; readonly name: string | undefined }
  /** Streamable HTTP without one (MCP 2026-07-28). */
  | { readonly kind: 'modern'; readonly versions: readonly string[] }
  /** HTTP+SSE (MCP 2024-11-05). */
  | { readonly kind: 'sse' }
  /** Nothing is said before a sign-in. */
  | { readonly kind: 'sign-in' }
  /** Nothing of MCP. */
  | { readonly kind: 'nothing' }

/** Statuses that may mean that this is not how the server is spoken to. */
const NOT_HERE: ReadonlySet<number> = new Set([400, 404, 405, 406, 415])

/** Finds out what the endpoint speaks. Nothing that it is asked changes anything there. */
export async function speaking(server: Server): Promise<Spoken> {
  const first = await server.answer()
  const withToken = first.status === 401 || first.status === 403
  const answer = withToken ? ((await server.answerToToken()) ?? first) : first
  if (answer.status === 401 || answer.status === 403) return { kind: 'sign-in' }
  const known = introduced(answer)
  if (known !== undefined) return known
  const { signal } = server
  const refused = answer.message !== undefined || NOT_HERE.has(answer.status)
  if (!refused) return { kind: 'nothing' }
  const send = await server.sender(withToken)
  if (answer.message !== undefined || answer.status === 400) {
    const discovered = await discover(send, answer.url, signal)
    const versions =
      discovered.message && valueAt(discovered.message, 'result', 'supportedVersions')
    const words = Array.isArray(versions) ? versions.filter((word) => typeof word === 'string') : []
    if (words.some(isModern)) return { kind: 'modern', versions: words.map(printable) }
  }
  return (await speaksSse(send, answer.url, signal)) ? { kind: 'sse' } : { kind: 'nothing' }
}

/** The InitializeResult in an answer. */
export function introduced({ message, status }: Answer): Spoken | undefined {
  if (message === undefined || status >= 300) return undefined
  const version = valueAt(message, 'result', 'protocolVersion')
  if (typeof version !== 'string') return undefined
  const name = valueAt(message, 'result', 'serverInfo', 'name')
  return {
    kind: 'http',
    version: printable(version),
    name: typeof name === 'string' ? printable(name) : undefined,
  }
}
