import { type Entry, type FrameRecord, isFailure } from './record.ts'

/** Which records a person wants to see; what is absent does not matter. */
export interface Filter {
  /** A method, `*` standing for anything. */
  readonly method?: string | undefined
  /** Answers that took at least so many milliseconds. */
  readonly slowMs?: number | undefined
  readonly errors?: boolean | undefined
  /** An id as people write it: quotes of a string may be left out. */
  readonly id?: string | undefined
}

/**
 * Whether a record is wanted. With a filter for messages only messages are. An id is the host's: what
 * was said to the server for that request, under whatever id, belongs to it.
 */
export function createFilter({ method, slowMs, errors, id }: Filter): (entry: Entry) => boolean {
  const pattern = method === undefined ? undefined : globOf(method)
  const ids = id === undefined ? undefined : new Set([id, JSON.stringify(id)])
  /** Requests with the wanted id, and those that stand for them at the server. */
  const wanted = new Set<number>()

  function hasId({ seq, side, for: cause, id: own, request }: FrameRecord): boolean {
    const isOf = (other: number | undefined): boolean => other !== undefined && wanted.has(other)
    const fits =
      side === 'server' ? isOf(cause) || isOf(request) : own !== undefined && ids!.has(own)
    if (fits) wanted.add(seq)
    return fits
  }

  return (entry) => {
    const { record } = entry
    if (errors === true && !isFailure(entry)) return false
    if (pattern === undefined && slowMs === undefined && ids === undefined) return true
    if (record.type !== 'frame') return false
    return (
      (pattern === undefined || pattern.test(record.method ?? '')) &&
      (slowMs === undefined || (record.ms ?? -1) >= slowMs) &&
      (ids === undefined || hasId(record))
    )
  }
}

function globOf(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[$()+.?[\\\]^{|}]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
