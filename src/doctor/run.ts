import { printable } from '../log.ts'
import { type Check, type Context, type Finding, fail, skipped } from './check.ts'

/** A check and what it found. */
export interface Result {
  readonly check: Check
  readonly finding: Finding
}

/**
 * Runs the checks side by side, each as soon as those that it needs are done. Never rejects: a check
 * that breaks, or that `signal` cuts short, is a finding too.
 */
export async function runChecks(
  checks: readonly Check[],
  context: Context,
  signal: AbortSignal,
): Promise<readonly Result[]> {
  const running = new Map<string, Promise<Finding>>()
  for (const check of checks) running.set(check.id, find(check))
  return Promise.all(
    checks.map(async (check) => ({ check, finding: await running.get(check.id)! })),
  )

  async function find(check: Check): Promise<Finding> {
    for (const id of check.needs ?? []) {
      const needed = await running.get(id)
      if (needed === undefined) throw new Error(`${check.id} needs ${id}, which is not before it`)
      const { level, seen } = needed
      if (level === 'ok' || level === 'warn') continue
      // The first reason is the one that counts, however long the chain is.
      if (level === 'skipped') return skipped(seen)
      const title = checks.find((other) => other.id === id)?.title ?? id
      return skipped(`not looked at, because of "${title}"`)
    }
    try {
      return await within(signal, check.run(context))
    } catch (error) {
      if (signal.aborted) {
        return fail(
          'no_answer_in_time',
          'there was no answer in time',
          'Try again; if it stays like this, pass --proxy or --ipv4.',
        )
      }
      const said = error instanceof Error ? error.message : String(error)
      return fail('unexpected', `this check broke: ${printable(said)}`)
    }
  }
}

/** The codes that any check may have. */
export const COMMON_CODES = ['no_answer_in_time', 'unexpected'] as const

function within<T>(signal: AbortSignal, work: Promise<T> | T): Promise<T> | T {
  if (!(work instanceof Promise)) return work
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
