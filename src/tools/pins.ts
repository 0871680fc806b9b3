import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { MAX_KNOWN_TOOLS } from '../limits.ts'
import type { Log } from '../log.ts'
import { readPrivate, writePrivate } from '../store/files.ts'

/** How a tool compares with what is remembered of it. */
type PinVerdict = 'same' | 'changed' | 'added'

/** The fingerprints of one server's tools, on disk. */
export interface Pins {
  /** Compares a tool; the first complete list of a server is taken as it is. */
  judge(name: string, print: string): PinVerdict
  /** Called behind every page of the list. */
  endPage(last: boolean): void
  /** Settles when what was learnt is on disk. */
  flush(): Promise<void>
}

/** Layout of the file; one of another layout is read as absent. */
const LAYOUT = 1

interface PinFile {
  readonly layout: number
  /** Whether a list has been read to its end. */
  readonly complete: boolean
  readonly tools: Readonly<Record<string, string>>
}

/** Whose tools are pinned: accounts of one server may see different ones. */
export interface PinPlace {
  readonly folder: string
  readonly server: URL
  readonly profile: string
}

/** The file of a server's pins. No part of the URL is readable in the name. */
function pinFileOf({ folder, server, profile }: PinPlace): string {
  const identity = JSON.stringify([server.href, profile])
  return join(folder, `${createHash('sha256').update(identity).digest('hex').slice(0, 32)}.json`)
}

/** Pins on disk, which are read at the first list. With `accept` what comes now replaces them. */
export function openPins(place: PinPlace, accept: boolean, log: Log): Pins {
  const file = pinFileOf(place)
  let loaded: { complete: boolean; readonly tools: Map<string, string> } | undefined
  let dirty = false
  let writing = Promise.resolve()

  function state(): NonNullable<typeof loaded> {
    return (loaded ??= accept ? { complete: false, tools: new Map() } : read(file, log))
  }

  function save(): void {
    const { complete, tools } = state()
    const content: PinFile = { layout: LAYOUT, complete, tools: Object.fromEntries(tools) }
    const text = JSON.stringify(content)
    writing = writing
      .then(() => writePrivate(file, text))
      .catch((error: unknown) => {
        log.warn(`the tools could not be pinned: ${(error as Error).message}`)
      })
  }

  return {
    judge(name, print) {
      const { complete, tools } = state()
      const known = tools.get(name)
      if (known === print) return 'same'
      if (complete) return known === undefined ? 'added' : 'changed'
      if (tools.size >= MAX_KNOWN_TOOLS && known === undefined) return 'added'
      tools.set(name, print)
      dirty = true
      return 'same'
    },
    endPage(last) {
      const now = state()
      if (now.complete) return
      now.complete = last
      if (dirty || last) save()
      dirty = false
    },
    flush: () => writing,
  }
}

function read(file: string, log: Log): { complete: boolean; tools: Map<string, string> } {
  let text: string | undefined
  try {
    text = readPrivate(file)
    if (text === undefined) return { complete: false, tools: new Map() }
    const { layout, complete, tools } = JSON.parse(text) as PinFile
    if (layout === LAYOUT)
      return { complete: complete === true, tools: new Map(Object.entries(tools)) }
  } catch (error) {
    log.warn(`the pinned tools could not be read: ${(error as Error).message}`)
  }
  // What cannot be read must not pass for "never seen": nothing is known, so everything is new.
  return { complete: true, tools: new Map() }
}
