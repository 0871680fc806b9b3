import type { EventStore, JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import { parseJson } from '../json.ts'
import { EVENT_PART_BYTES, EVENTS_BYTES } from '../limits.ts'

/** The event store of one session, with what resumption after an eviction needs besides. */
export interface SessionEvents {
  readonly store: EventStore
  /** Runs something whose messages must not be stored: the replayed handshake. */
  muted<T>(action: () => Promise<T>): Promise<T>
  /** Runs one POST and notes which requests the stream that it opens has to answer. */
  expecting<T>(ids: readonly RequestId[], post: () => Promise<T>): Promise<T>
  /** Requests that are running in this very object. */
  running(): readonly RequestId[]
  /** Requests whose answer was never stored, by stream. */
  unanswered(): readonly { readonly stream: string; readonly ids: readonly RequestId[] }[]
  /** The stream an event belongs to. */
  streamOf(eventId: string): string | undefined
}

type EventRow = { seq: number; message: ArrayBuffer }

/** Keeps events in the SQLite database of a Durable Object; a large one is split into parts. */
export function sqliteEvents(sql: SqlStorage): SessionEvents {
  sql.exec(`
    CREATE TABLE IF NOT EXISTS events (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, more INTEGER NOT NULL,
      message BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS open_requests (
      stream TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (stream, id));
  `)
  let mute = false
  let expected: readonly RequestId[] = []
  const running = new Set<RequestId>()
  let sincePruned = 0

  function store(stream: string, message: JSONRPCMessage): number {
    const bytes = new TextEncoder().encode(JSON.stringify(message))
    let seq = 0
    for (let at = 0; at < bytes.length; at += EVENT_PART_BYTES) {
      const part = bytes.slice(at, at + EVENT_PART_BYTES)
      const more = at + EVENT_PART_BYTES < bytes.length ? 1 : 0
      const insert = 'INSERT INTO events (stream, more, message) VALUES (?, ?, ?) RETURNING seq'
      seq = sql.exec<{ seq: number }>(insert, stream, more, part.buffer).one().seq
    }
    sincePruned += bytes.length
    if (sincePruned > EVENT_PART_BYTES) prune()
    return seq
  }

  /** Summing up is a scan of the table, so it is done once per megabyte and not per event. */
  function prune(): void {
    sincePruned = 0
    sql.exec(
      `DELETE FROM events WHERE seq <= (SELECT MAX(seq) FROM
         (SELECT seq, SUM(LENGTH(message)) OVER (ORDER BY seq DESC) AS kept FROM events)
       WHERE kept > ?)`,
      EVENTS_BYTES,
    )
  }

  /** A priming event opens a stream: from here on the stream owes the answers that were expected. */
  function open(stream: string): void {
    for (const id of expected) {
      sql.exec('INSERT OR IGNORE INTO open_requests VALUES (?, ?)', stream, JSON.stringify(id))
    }
  }

  function streamOf(eventId: string): string | undefined {
    const rows = sql.exec<{ stream: string }>('SELECT stream FROM events WHERE seq = ?', eventId)
    return [...rows][0]?.stream
  }

  return {
    store: {
      storeEvent(stream, message) {
        if (mute) return Promise.resolve('0')
        if (!('jsonrpc' in message)) open(stream)
        else if (!('method' in message)) {
          sql.exec('DELETE FROM open_requests WHERE id = ?', JSON.stringify(message.id))
          if (message.id !== undefined) running.delete(message.id)
        }
        return Promise.resolve(String(store(stream, message)))
      },
      getStreamIdForEventId: (eventId) => Promise.resolve(streamOf(eventId)),
      async replayEventsAfter(lastEventId, { send }) {
        const stream = streamOf(lastEventId)
        if (stream === undefined) throw new Error('unknown event id')
        const rows = sql.exec<EventRow & { more: number }>(
          'SELECT seq, more, message FROM events WHERE stream = ? AND seq > ? ORDER BY seq',
          stream,
          lastEventId,
        )
        let parts: ArrayBuffer[] = []
        for (const { seq, more, message } of rows.toArray()) {
          parts.push(message)
          if (more === 1) continue
          const text = await new Blob(parts).text()
          parts = []
          if (text !== '{}') await send(String(seq), parseJson(text) as JSONRPCMessage)
        }
        return stream
      },
    },
    async muted(action) {
      mute = true
      try {
        return await action()
      } finally {
        mute = false
      }
    },
    async expecting(ids, post) {
      expected = ids
      for (const id of ids) running.add(id)
      try {
        return await post()
      } finally {
        expected = []
      }
    },
    running: () => [...running],
    unanswered() {
      const rows = sql.exec<{ stream: string; id: string }>('SELECT stream, id FROM open_requests')
      const byStream = new Map<string, RequestId[]>()
      for (const { stream, id } of rows) {
        byStream.set(stream, [...(byStream.get(stream) ?? []), JSON.parse(id) as RequestId])
      }
      return [...byStream].map(([stream, ids]) => ({ stream, ids }))
    },
    streamOf,
  }
}
