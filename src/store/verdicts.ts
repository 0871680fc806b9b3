import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hashed } from '../hash.ts'
import type { Log } from '../log.ts'

/** What was found out about the era of a server. */
export interface KeptEra {
  readonly era: 'modern' | 'modern-only' | 'legacy'
  /** Protocol versions that the server named. */
  readonly versions: readonly string[]
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** What was found out about a server and is worth remembering for the next start. */
export interface Verdict {
  /** HTTP is what is tried first anyway, and is not kept. */
  readonly transport?: 'http' | 'sse' | undefined
  readonly era?: KeptEra | undefined
}

/** The verdict on one server, on disk. A hint only: a wrong one costs a request. */
export interface Verdicts {
  /** Reads it once; later calls see what has been written since. */
  read(): Promise<Verdict>
  /** Changes a part of it; in the background, a failure is a warning. */
  write(change: Verdict): void
  /** Settles when everything that was to be written is on disk, or could not be. */
  flush(): Promise<void>
}

/** Layout version of the file; another one is read as absent. */
const LAYOUT = 2

/** Headers that say who asks and not for which tenant: a new token is no new server. */
const CREDENTIAL = /auth|cookie|credential|key|password|secret|token/

/** What is known of the server at `url` for a user who sends these headers (lower-case names). */
export function openVerdicts(
  directory: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
  log: Log,
): Verdicts {
  let name: string | undefined
  const fileName = (): string => join(directory, `${(name ??= nameOf(url, headers))}.json`)
  let known: Promise<Verdict> | undefined
  let saving: Promise<void> = Promise.resolve()

  async function load(): Promise<Verdict> {
    // Nothing was ever kept of any server: there is no name to be made.
    if (!existsSync(directory)) return {}
    try {
      return parse(await readFile(fileName(), 'utf8'))
    } catch {
      return {} // absent or unreadable: as if the server had never been seen
    }
  }

  const read = (): Promise<Verdict> => (known ??= load())

  async function save(verdict: Verdict): Promise<void> {
    if (verdict.transport === undefined && verdict.era === undefined) {
      await rm(fileName(), { force: true })
      return
    }
    // Created with its final mode under any umask, and never half-written under its final name.
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const file = fileName()
    const temporary = `${file}.${process.pid}.tmp`
    const handle = await open(temporary, 'w', 0o600)
    try {
      await handle.writeFile(JSON.stringify({ layout: LAYOUT, ...verdict }))
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  }

  async function change(part: Verdict): Promise<void> {
    const before = await read()
    const { transport, era } = { ...before, ...part }
    const verdict = { transport: transport === 'sse' ? transport : undefined, era }
    if (
      JSON.stringify(verdict) === JSON.stringify({ transport: before.transport, era: before.era })
    )
      return
    known = Promise.resolve(verdict)
    await save(verdict)
  }

  return {
    read,
    write(part) {
      saving = saving
        .then(() => change(part))
        .catch((error: unknown) => {
          log.warn(`what this server speaks could not be remembered: ${(error as Error).message}`)
        })
    },
    flush: () => saving,
  }
}

/** No part of the URL or of a header is readable in the name: both may hold a secret. */
function nameOf(url: URL, headers: Readonly<Record<string, string>>): string {
  const tenant = Object.entries(headers)
    .filter(([name]) => !CREDENTIAL.test(name))
    .sort(([one], [other]) => (one < other ? -1 : 1))
  const key = tenant.length === 0 ? url.href : JSON.stringify([url.href, tenant])
  return hashed(key, 32)
}

function parse(text: string): Verdict {
  const value = JSON.parse(text) as Partial<Record<string, unknown>> | null
  if (value?.['layout'] !== LAYOUT) return {}
  const transport = value['transport'] === 'sse' ? 'sse' : undefined
  return { transport, era: parseEra(value['era']) }
}

function parseEra(value: unknown): KeptEra | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { era, versions, at } = value as Partial<Record<string, unknown>>
  if (era !== 'modern' && era !== 'modern-only' && era !== 'legacy') return undefined
  if (!Array.isArray(versions) || typeof at !== 'number') return undefined
  return { era, versions: versions.filter((version) => typeof version === 'string'), at }
}
