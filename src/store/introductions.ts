import { join } from 'node:path'
import { type Frame, slice } from '../frame.ts'
import { hashed } from '../hash.ts'
import { valueAt } from '../json/locate.ts'
import { MAX_INTRODUCTION_BYTES } from '../limits.ts'
import type { Log } from '../log.ts'
import { readPrivate, writePrivate } from './files.ts'

/**
 * InitializeResults on disk: what a server told a client last time, so that the client can be
 * answered while a person still has to sign in.
 */
export interface Introductions {
  /** The result for the same server, client and protocol version. */
  read(initialize: Frame): Buffer | undefined
  /** Keeps a result; in the background, a failure is a warning. */
  write(initialize: Frame, result: Buffer): void
}

/** InitializeResults of one server in `folder`, which is made when the first one is kept. */
export function openIntroductions(folder: string, server: URL, log: Log): Introductions {
  function pathOf(initialize: Frame): string {
    const { params } = initialize
    const text = params === undefined ? Buffer.from('{}') : slice(initialize.chunks, params)
    const identity = [
      server.href,
      valueAt(text, 'protocolVersion'),
      valueAt(text, 'clientInfo', 'name'),
      valueAt(text, 'clientInfo', 'version'),
    ]
    const name = hashed(JSON.stringify(identity), 32)
    return join(folder, `${name}.json`)
  }

  function read(initialize: Frame): Buffer | undefined {
    try {
      const text = readPrivate(pathOf(initialize))
      if (text === undefined) return undefined
      const result = Buffer.from(text)
      // Valid JSON is what `valueAt` needs to come to an end.
      JSON.parse(text)
      return typeof valueAt(result, 'protocolVersion') === 'string' ? result : undefined
    } catch {
      return undefined // unreadable or not JSON: as if the server had never been seen
    }
  }

  return {
    read,
    write(initialize, result) {
      if (result.length > MAX_INTRODUCTION_BYTES || read(initialize)?.equals(result) === true)
        return
      writePrivate(pathOf(initialize), result.toString('utf8')).catch((error: unknown) => {
        log.warn(`the server's introduction could not be kept: ${(error as Error).message}`)
      })
    },
  }
}
