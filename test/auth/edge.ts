import { http, HttpResponse, type JsonBodyType, passthrough } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type AuthHttp, createAuthHttp, type Lookup } from '../../src/auth/fetch.ts'
import { plainNetwork } from '../support/network.ts'

/** One request that reached the fake network. */
interface EdgeRequest {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly body: string
  /** The body as a form. */
  readonly form: URLSearchParams
}

/** What a fake place answers: a JSON document, a status, or a response made by the test. */
type Answer =
  | JsonBodyType
  | Response
  | ((request: EdgeRequest) => Response | JsonBodyType | Promise<Response | JsonBodyType>)

/** The network beyond this machine; a request to a place that the test did not name fails the test. */
export interface Edge {
  /** Every request so far. */
  readonly seen: EdgeRequest[]
  /** Only the URLs, with the method where it is not GET. */
  asked(): string[]
  /** Says what lives at a URL. */
  at(places: Record<string, Answer>): void
}

/** Replaces the network for the tests of one file. Places that are not named answer 404 on the named hosts. */
export function useEdge(): Edge {
  const seen: EdgeRequest[] = []
  const places = new Map<string, Answer>()
  const hosts = new Set<string>()
  const unexpected: string[] = []
  const server = setupServer(
    http.all('*', async ({ request }) => {
      const url = new URL(request.url)
      if (url.hostname === '127.0.0.1') return passthrough()
      const body = await request.text()
      const form = new URLSearchParams(body)
      const entry = { method: request.method, url: url.href, headers: request.headers, body, form }
      seen.push(entry)
      const answer = places.get(url.href) ?? places.get(url.origin + url.pathname)
      if (answer === undefined) {
        if (!hosts.has(url.host)) unexpected.push(`${request.method} ${url.href}`)
        return HttpResponse.json({ error: 'not_found' }, { status: 404 })
      }
      const result = typeof answer === 'function' ? await answer(entry) : answer
      return result instanceof Response ? result.clone() : HttpResponse.json(result)
    }),
  )
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
  afterEach(() => {
    const leftovers = unexpected.splice(0)
    seen.splice(0)
    places.clear()
    hosts.clear()
    if (leftovers.length > 0) throw new Error(`requests to unknown hosts: ${leftovers.join(', ')}`)
  })
  afterAll(() => server.close())
  return {
    seen,
    asked: () => seen.map(({ method, url }) => (method === 'GET' ? url : `${method} ${url}`)),
    at(named) {
      for (const [url, answer] of Object.entries(named)) {
        places.set(url, answer)
        hosts.add(new URL(url).host)
      }
    },
  }
}

/** A resolver for which every name is public. */
const publicLookup: Lookup = () => Promise.resolve([{ address: '198.51.100.1', family: 4 }])

/** The guarded client of a test. */
export function edgeHttp(
  server: string,
  policy: Partial<Parameters<typeof createAuthHttp>[0]> = {},
): AuthHttp {
  return createAuthHttp({
    server: new URL(server),
    allowHttp: false,
    allowPrivate: false,
    lookup: publicLookup,
    connector: plainNetwork().connector,
    signal: new AbortController().signal,
    ...policy,
  })
}
