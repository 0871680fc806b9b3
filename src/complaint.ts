import { BridgeError } from './errors.ts'
import { MAX_ERROR_MESSAGE_CHARS } from './limits.ts'
import { printable } from './log.ts'

/** How a failure is told. */
export interface Telling {
  /** One JSON line for a program. */
  readonly json: boolean
  /** With the place in the program that it comes from. */
  readonly debug: boolean
  /** Makes the less important less visible. */
  dim(text: string): string
}

/**
 * A failure that ends a command, as text for stderr: what failed, why, what to do, and the code under
 * which docs/errors.md explains it.
 */
export function complaint(error: unknown, { json, debug, dim }: Telling): string {
  const { code, message, hint, cause } = known(error)
  if (json) return `${JSON.stringify({ error: { code, message, hint, cause } })}\n`
  const lines = [`bridge: ${message} ${dim(`[${code}]`)}`]
  if (cause !== undefined) lines.push(`  Cause: ${cause}`)
  if (hint !== undefined) lines.push(`  ${hint}`)
  if (debug && error instanceof Error) lines.push(error.stack ?? '')
  return `${lines.join('\n')}\n`
}

interface Known {
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
  readonly cause: string | undefined
}

function known(error: unknown): Known {
  if (error instanceof BridgeError) {
    return { code: error.code, message: error.message, hint: error.hint, cause: causeOf(error) }
  }
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const message = printable(said).slice(0, MAX_ERROR_MESSAGE_CHARS)
  return {
    code: 'unexpected',
    message: `This should not happen: ${message}`,
    hint: 'Run it again with BRIDGE_LOG=debug, and report what it prints.',
    cause: undefined,
  }
}

/** The system's own words for it. Any other cause may quote a secret, and is in the message if it helps. */
function causeOf({ message, cause }: BridgeError): string | undefined {
  for (let at = cause; at instanceof Error; at = at.cause) {
    if (!('syscall' in at) || !('code' in at)) continue
    const line = printable(at.message)
    return message.includes(line) ? undefined : line
  }
  return undefined
}
