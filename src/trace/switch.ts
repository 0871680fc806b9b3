import type { Trace } from './open.ts'
import type { TraceOptions } from './options.ts'

/** Begins the debug trace when one is asked for; nothing of its code is loaded otherwise. */
export async function traceOf(
  subject: {
    readonly trace: TraceOptions | undefined
    readonly url: URL
    readonly headers: Readonly<Record<string, string>>
  },
  process: NodeJS.Process,
): Promise<Trace | undefined> {
  const { trace: options, url: server, headers } = subject
  if (options === undefined) return undefined
  const { openTrace } = await import('./open.ts')
  return openTrace({ options, server, headers }, process)
}
