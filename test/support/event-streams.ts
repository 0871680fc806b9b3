import { createEventDecoder } from '../../src/remote/events.ts'
import { inPieces } from './json-texts.ts'

/** What a stream of events said, in order. */
export interface Said {
  readonly events: { type: string; text: string; json: string | undefined }[]
  readonly ids: string[]
  readonly retries: number[]
}

/** Decodes a stream that arrives in pieces of these lengths, and the rest in one. */
export function decode(stream: string | Buffer, lengths: readonly number[] = []): Said {
  const said: Said = { events: [], ids: [], retries: [] }
  const decoder = createEventDecoder({
    event({ type, frame, text }) {
      const json = frame && Buffer.concat(frame.chunks).toString('utf8')
      said.events.push({ type, text: text(), json })
      return undefined
    },
    id: (id) => said.ids.push(id),
    retry: (ms) => said.retries.push(ms),
  })
  for (const piece of inPieces(stream, lengths)) decoder.push(piece)
  return said
}
