import { BridgeError } from '../errors.ts'
import { type Frame, readFrame } from '../frame.ts'
import { MAX_TRACE_RECORDS } from '../limits.ts'
import { readTrace } from './read.ts'
import type { FrameRecord } from './record.ts'

/** Something that the host has said, and the answer that it got, as JSON source. */
interface Saying {
  readonly frame: Frame
  readonly answer: string | undefined
}

/** What a host has said in a trace. */
export interface Recording {
  readonly sayings: readonly Saying[]
  /** What the host has answered to requests of the server, by their method, in order. */
  readonly repliesTo: ReadonlyMap<string, Frame[]>
  /** Messages that cannot be sent again: they were cut or masked. */
  readonly skipped: number
}

/** Stands in a recorded message for a secret, or for all that was given. */
const MASKED = /‹[a-z]+(?::[0-9a-f]{8})?›|"(?:params|result)"\s*:\s*\{"masked":\d+\}/

/** Reads what is needed to play the host of a trace. */
export async function readRecording(path: string): Promise<Recording> {
  const said: { record: FrameRecord; frame: Frame }[] = []
  const answers = new Map<number, string>()
  const repliesTo = new Map<string, Frame[]>()
  let skipped = 0
  for await (const { entry } of readTrace(path)) {
    const { record, raw } = entry
    if (record.type !== 'frame' || raw === undefined || record.side !== undefined) continue
    if (record.from !== 'host') {
      if (record.request !== undefined && record.cut !== true) answers.set(record.request, raw)
      continue
    }
    const usable = record.cut !== true && !MASKED.test(raw)
    const frame = usable ? readFrame(raw) : undefined
    if (frame === undefined) {
      skipped++
    } else if (record.kind === 'response') {
      const replies = repliesTo.get(record.method ?? '') ?? []
      replies.push(frame)
      repliesTo.set(record.method ?? '', replies)
    } else {
      said.push({ record, frame })
      if (said.length > MAX_TRACE_RECORDS) {
        throw new BridgeError('usage', `${path} is too long to be replayed.`, {
          hint: `At most ${MAX_TRACE_RECORDS} messages are sent.`,
        })
      }
    }
  }
  const sayings = said.map(({ record, frame }) => ({ frame, answer: answers.get(record.seq) }))
  return { sayings, repliesTo, skipped }
}
