import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../log.ts'

/** What was found out about a server and is worth remembering for the next start. */
type Verdict = 'http-first' | 'sse-first'

/** Verdicts on disk, one small file per server URL. A hint only: a wrong one costs one request. */
export interface Verdicts {
  read(url: URL): Promise<Verdict | undefined>
  /** Remembers the transport that a server spoke; in the background, a failure is a warning. */
  write(url: URL, transport: 'http' | 'sse'): void
}

/** Layout version of the file; another one is read as absent. */
const LAYOUT = 1

/** Verdicts in `directory`, which is made when the first one is written. */
export function openVerdicts(directory: string, log: Log): Verdicts {
  let known: Verdict | undefined

  async function save(url: URL, verdict: Verdict): Promise<void> {
    // Created with its final mode under any umask, and never half-written under its final name.
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const file = pathOf(directory, url)
    const temporary = `${file}.${process.pid}.tmp`
    const handle = await open(temporary, 'w', 0o600)
    try {
      await handle.writeFile(JSON.stringify({ layout: LAYOUT, verdict }))
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  }

  return {
    async read(url) {
      try {
        known = parse(await readFile(pathOf(directory, url), 'utf8'))
      } catch {
        known = undefined // absent or unreadable: as if the server had never been seen
      }
      return known
    },
    write(url, transport) {
      const verdict: Verdict = transport === 'sse' ? 'sse-first' : 'http-first'
      // HTTP is what is tried first anyway.
      if (verdict === (known ?? 'http-first')) return
      known = verdict
      const done =
        verdict === 'sse-first' ? save(url, verdict) : rm(pathOf(directory, url), { force: true })
      done.catch((error: unknown) => {
        log.warn(
          `the transport of this server could not be remembered: ${(error as Error).message}`,
        )
      })
    },
  }
}

/** No part of the URL is readable in the name: a query may hold a secret. */
function pathOf(directory: string, url: URL): string {
  const name = createHash('sha256').update(url.href).digest('hex').slice(0, 32)
  return join(directory, `${name}.json`)
}

function parse(text: string): Verdict | undefined {
  const value = JSON.parse(text) as { layout?: unknown; verdict?: unknown } | null
  if (value?.layout !== LAYOUT) return undefined
  return value.verdict === 'sse-first' ? 'sse-first' : undefined
}
