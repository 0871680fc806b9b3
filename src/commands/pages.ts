import { withMembers } from '../json/edit.ts'
import { items, locate, valueAt } from '../json/locate.ts'
import { MAX_LISTED_PAGES } from '../limits.ts'
import type { Client } from './client.ts'

/** A list of the server, all pages of it. */
export interface Pages {
  /** The texts of the items. */
  readonly items: readonly Buffer[]
  /** The result as one text: that of the server when there is one page. */
  readonly text: Buffer
}

/** Reads a list to its end. `member` is what the items are called in its result. */
export async function readPages(
  { request }: Client,
  method: string,
  member: string,
): Promise<Pages> {
  const found: Buffer[] = []
  const seen = new Set<string>()
  let first: Buffer | undefined
  let pages = 0
  let cursor: string | undefined
  do {
    const result = await request(method, cursor === undefined ? '{}' : JSON.stringify({ cursor }))
    first ??= result
    pages++
    const list = locate(result, member)
    if (list !== undefined) {
      for (const item of items(result, list)) found.push(result.subarray(item.start, item.end))
    }
    const next = valueAt(result, 'nextCursor')
    // A cursor that comes again would lead around in circles.
    cursor = typeof next === 'string' && !seen.has(next) ? next : undefined
    if (cursor !== undefined) seen.add(cursor)
  } while (cursor !== undefined && pages < MAX_LISTED_PAGES)
  if (pages === 1) return { items: found, text: first }
  const joined = found.map((item) => item.toString('utf8')).join(',')
  return {
    items: found,
    text: withMembers(first, { [member]: `[${joined}]`, nextCursor: undefined }),
  }
}
