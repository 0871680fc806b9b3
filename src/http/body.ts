import type { HttpResponse } from './client.ts'

/** Reads a body as far as `maxBytes`; what goes beyond is given up together with its connection. */
export async function readBody(response: HttpResponse, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  await response
    .consume((chunk) => {
      size += chunk.length
      if (size <= maxBytes) chunks.push(chunk)
      else response.discard()
      return undefined
    })
    .catch(() => {}) // a cut error body is as good as a short one
  return Buffer.concat(chunks)
}

/** The media type without parameters, in lower case; empty when there is none. */
export function mediaType(response: HttpResponse): string {
  const value = header(response, 'content-type') ?? ''
  // What servers write, nearly always: nothing is left to be done.
  if (value === 'application/json' || value === 'text/event-stream') return value
  return value.split(';', 1)[0]!.trim().toLowerCase()
}

/** The first value of a header. */
export function header(response: HttpResponse, name: string): string | undefined {
  const value = response.headers[name]
  return Array.isArray(value) ? value[0] : value
}
