import packageJson from '../../package.json' with { type: 'json' }
import type { Entry, HttpRecord } from './record.ts'

/** The HTTP side of a trace as HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/). */
export function createHar(entries: readonly Entry[]): string {
  const frames = new Map<number, string | undefined>()
  const answers = new Map<number, string[]>()
  const exchanges = new Map<number, HttpRecord>()
  for (const { record, raw } of entries) {
    if (record.type === 'http') {
      exchanges.set(record.exchange, record)
    } else if (record.type === 'frame') {
      frames.set(record.seq, raw)
      if (record.exchange === undefined || raw === undefined || record.from !== 'server') continue
      answers.set(record.exchange, [...(answers.get(record.exchange) ?? []), raw])
    }
  }
  const log = {
    version: '1.2',
    creator: { name: packageJson.name, version: packageJson.version },
    entries: [...exchanges.values()].map((record) =>
      entryOf(record, frames.get(record.frame ?? -1), answers.get(record.exchange) ?? []),
    ),
  }
  return JSON.stringify({ log }, undefined, 2)
}

function entryOf(record: HttpRecord, body: string | undefined, answers: readonly string[]): object {
  const { verb, url, sent, status, headers = {}, requestHeaders = {} } = record
  const { received, ms, total, at, error, stream, open } = record
  const time = total ?? ms ?? 0
  const wait = Math.min(ms ?? time, time)
  // A record is made at the end of what it tells of.
  const begun = new Date(Date.parse(at) - (open === true ? wait : time)).toISOString()
  const content = answers.map((raw) => (stream === 'sse' ? `data: ${raw}\n\n` : raw)).join('')
  return {
    startedDateTime: begun,
    time,
    request: {
      method: verb,
      url,
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: pairs(requestHeaders),
      queryString: URL.canParse(url) ? pairs(Object.fromEntries(new URL(url).searchParams)) : [],
      headersSize: -1,
      bodySize: sent ?? 0,
      ...(body !== undefined && { postData: { mimeType: 'application/json', text: body } }),
    },
    response: {
      status: status ?? 0,
      statusText: '',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: pairs(headers),
      content: {
        size: received ?? 0,
        mimeType: headers['content-type'] ?? '',
        ...(content !== '' && { text: content }),
      },
      redirectURL: headers['location'] ?? '',
      headersSize: -1,
      bodySize: received ?? -1,
      ...(error !== undefined && { _error: error }),
    },
    cache: {},
    timings: { send: 0, wait, receive: Math.max(time - wait, 0) },
  }
}

function pairs(values: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }))
}
