import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { PendingSignIn } from '../auth/index.ts'
import type { HttpSend } from '../http/client.ts'
import { MAX_PASTES } from '../limits.ts'
import type { Log } from '../log.ts'
import { judgePasted } from './pasted.ts'

/** What reading pasted addresses needs. */
export interface PasteContext {
  readonly stdin: Readable
  readonly log: Log
  readonly send: HttpSend
  pending(): PendingSignIn | undefined
  /** Called when nothing that was pasted was of use, and no more is read. */
  onExhausted(): void
}

/**
 * Reads what a person pastes. An address that fits is loaded here, as the browser would have done on
 * this machine: so whoever listens for the sign-in, this process or a running bridge, judges it like
 * any other callback, and it does not matter which way it comes first.
 */
export function readPastes({ stdin, log, send, pending, onExhausted }: PasteContext): {
  close(): void
} {
  const lines = createInterface({ input: stdin })
  let left = MAX_PASTES

  function refuse(why: string): void {
    left -= 1
    log.warn(why)
    if (left > 0) return
    lines.close()
    onExhausted()
  }

  async function take(text: string): Promise<void> {
    const signIn = pending()
    if (signIn === undefined) {
      log.warn('No sign-in is waiting now.')
      return
    }
    if (signIn.code !== undefined) {
      log.warn(`Nothing is to be pasted: enter ${signIn.code} on the page.`)
      return
    }
    const pasted = judgePasted(text, signIn)
    if (!pasted.ok) {
      refuse(pasted.why)
      return
    }
    try {
      const response = await send({ method: 'GET', url: pasted.address, headers: {} })
      response.discard()
      if (response.status >= 400) refuse('The sign-in does not take this address any more.')
    } catch {
      // The listener is gone: the sign-in has ended some other way, and its end is told.
    }
  }

  lines.on('line', (line) => {
    if (line.trim() !== '') void take(line)
  })
  return {
    close() {
      lines.close()
      stdin.destroy()
    },
  }
}
