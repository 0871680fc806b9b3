import { isLoopback } from './cors.ts'
import type { Env } from './env.ts'

/** Answers one `/__test/<name>` request. */
export type Hook = (url: URL, env: Env) => Promise<Response>

/** What a hook decided about a request; `next` is the way on to the real handler. */
export type Interception = (next: (request: Request) => Promise<Response>) => Promise<Response>

/** Whether the test hooks exist at all: asked for, and reached over a loopback address. */
export function hooksAreOpen(url: URL, env: Env): boolean {
  return env.TEST_HOOKS === '1' && isLoopback(url)
}

/** The hook that takes over a request, if any. */
export function hookFor(
  _request: Request,
  url: URL,
  env: Env,
  more: Readonly<Record<string, Hook>> = {},
): Interception | undefined {
  if (!hooksAreOpen(url, env) || !url.pathname.startsWith('/__test/')) return undefined
  const hook = more[url.pathname.slice('/__test/'.length)]
  return async () =>
    hook === undefined ? new Response('No such hook', { status: 404 }) : hook(url, env)
}
