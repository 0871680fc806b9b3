import type { Readable } from 'node:stream'
import type { HostLine, Local } from '../channel.ts'
import { MAX_FRAME_BYTES, MAX_QUEUED_HOST_BYTES } from '../limits.ts'
import { createLineSplitter } from './lines.ts'
import { openOutput, type Sink } from './output.ts'

interface Waiting {
  readonly line: HostLine
  readonly bytes: number
}

/** MCP stdio (2025-11-25, basic/transports): one JSON-RPC message per line, UTF-8. */
export function openStdio(stdin: Readable, stdout: Sink): Local {
  let queue: Waiting[] = []
  let queuedBytes = 0
  let over = false
  let wake = (): void => {}
  let markEnded = (): void => {}
  const ended = new Promise<void>((resolve) => {
    markEnded = resolve
  })
  const splitter = createLineSplitter(MAX_FRAME_BYTES, (line, bytes) => {
    queue.push({ line, bytes })
    queuedBytes += bytes
    if (queuedBytes > MAX_QUEUED_HOST_BYTES) stdin.pause()
    wake()
  })
  const finish = (): void => {
    if (over) return
    over = true
    splitter.end()
    markEnded()
    wake()
  }
  stdin.on('data', (chunk: Buffer) => splitter.push(chunk))
  stdin.on('end', finish)
  stdin.on('close', finish)
  stdin.on('error', finish)

  return {
    ...openOutput(stdout),
    ended,
    async read(onLine) {
      while (!over || queue.length > 0) {
        const batch = queue
        queue = []
        for (const { line, bytes } of batch) {
          const wait = onLine(line)
          if (wait !== undefined) await wait
          queuedBytes -= bytes
          if (stdin.isPaused() && queuedBytes <= MAX_QUEUED_HOST_BYTES) stdin.resume()
        }
        if (queue.length === 0 && !over) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    },
  }
}
