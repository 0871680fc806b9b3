import type { z } from 'zod'

/** A person waits in front of a browser; an identity provider that takes longer is down. */
const TIMEOUT_MS = 10_000

/** What a provider answered: a document of the expected shape, or what came instead. */
export type Asked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: 'unavailable' | 'refused'; readonly detail: string }

/** Asks an identity provider for a JSON document and checks its shape. Redirects are not followed. */
export async function ask<T>(
  url: string,
  schema: z.ZodType<T>,
  init: RequestInit = {},
): Promise<Asked<T>> {
  const { origin } = new URL(url)
  try {
    const response = await fetch(url, {
      ...init,
      headers: { Accept: 'application/json', 'User-Agent': 'bridge-worker', ...init.headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await response.text()
    if (response.status >= 500) {
      return { ok: false, why: 'unavailable', detail: `HTTP ${response.status} from ${origin}` }
    }
    const parsed = schema.safeParse(readJson(text))
    // A provider's own words could carry a code or a token, so only the status is kept.
    return response.ok && parsed.success
      ? { ok: true, value: parsed.data }
      : { ok: false, why: 'refused', detail: `HTTP ${response.status} from ${origin}` }
  } catch {
    return { ok: false, why: 'unavailable', detail: `no answer from ${origin}` }
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
