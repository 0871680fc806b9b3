import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { MAX_LISTED_SIGN_INS } from '../limits.ts'
import { readPrivate } from '../store/files.ts'

const change = z.optional(z.looseObject({ what: z.string() }))

/** What a running bridge writes about itself, as far as it is shown here. */
const RunningFile = z.object({
  layout: z.literal(1),
  pid: z.number(),
  server: z.string(),
  startedAt: z.string(),
  connectedSince: z.optional(z.string()),
  inFlight: z.optional(z.number()),
  transport: change,
  session: change,
  era: change,
})

/** A bridge that runs now. */
export interface Running {
  readonly pid: number
  /** Without its query. */
  readonly server: string
  readonly started_at: string
  readonly connected_since: string | null
  readonly in_flight: number | null
  readonly transport: string | null
  readonly era: string | null
}

/** The bridges that run now, by the files that they keep in `folder`. */
export async function listRunning(folder: string): Promise<Running[]> {
  const names = await readdir(folder).catch(() => [])
  const files = names.filter((name) => /^\d+\.json$/.test(name)).slice(0, MAX_LISTED_SIGN_INS)
  return files.flatMap((name) => {
    const parsed = RunningFile.safeParse(read(join(folder, name)))
    if (!parsed.success || !isAlive(parsed.data.pid)) return []
    const { pid, server, startedAt, connectedSince, inFlight, transport, era } = parsed.data
    return [
      {
        pid,
        server,
        started_at: startedAt,
        connected_since: connectedSince ?? null,
        in_flight: inFlight ?? null,
        transport: word(transport?.['transport']),
        era: word(era?.['server']),
      },
    ]
  })
}

function read(file: string): unknown {
  try {
    return JSON.parse(readPrivate(file) ?? 'null')
  } catch {
    return undefined // half of it, or somebody else's: as if it were not there
  }
}

function word(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** Whether a process has this id; one of somebody else counts. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
