import type * as z from 'zod/mini'
import { AuthFailure } from './failure.ts'
import type { AuthFetch } from './fetch.ts'

/** Sent with metadata requests since MCP 2025-03-26; the newest revision without an era of its own. */
const METADATA_HEADERS = {
  accept: 'application/json',
  'mcp-protocol-version': '2025-11-25',
} as const

/**
 * Reads a metadata document; `undefined` when there is none of this shape at the URL: a refusal,
 * another media type, the page of a web application. A server that cannot be asked ends the search,
 * because what the next place says would only be true during an outage.
 */
export async function readDocument<T>(
  fetch: AuthFetch,
  url: URL,
  shape: z.ZodMiniType<T>,
): Promise<T | undefined> {
  const response = await fetch(url, { headers: METADATA_HEADERS })
  const { status } = response
  if (status >= 500 || status === 429) {
    throw new AuthFailure('unreachable', `${url.origin} answered ${status} for ${url.pathname}.`)
  }
  if (status !== 200) return undefined
  try {
    return shape.parse(JSON.parse(await response.text()))
  } catch {
    return undefined
  }
}
