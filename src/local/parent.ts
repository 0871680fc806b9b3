import { readFileSync, readlinkSync } from 'node:fs'
import { PARENT_CHECK_MS } from '../limits.ts'

/** A process between us and the host, ourselves included, and the parent that it must keep. */
export interface Link {
  readonly pid: number
  readonly parent: number | undefined
}

/** `npx` under a shell makes three links. */
const MAX_LINKS = 8

/**
 * Calls back when the host has died. Needed when it is killed while another of its children holds
 * our stdin open: then no end of input ever comes. The sign is a process that has got another
 * parent. On Linux every wrapper between the host and us is watched (`npx`, `sh -c`: they do not
 * notice either), on macOS only our own parent. Windows does not re-parent orphans: the end of stdin
 * is the only sign there. A host that dies before our first instruction leaves no such trace.
 */
export function watchHost(
  process: NodeJS.Process,
  links: readonly Link[],
  onDeath: () => void,
): { stop(): void } {
  const timer = setInterval(() => {
    if (links.some(({ pid, parent }) => parentOf(process, pid) !== parent)) onDeath()
  }, PARENT_CHECK_MS).unref()
  return {
    stop() {
      clearInterval(timer)
    },
  }
}

/**
 * From us up to the child of the host: a wrapper is whatever handed its own stdin down to us. To be
 * taken first of all, so that a host that dies while the program loads is noticed too.
 */
export function linksToHost(process: NodeJS.Process): readonly Link[] {
  const stdin = stdinOf(process.pid)
  const links: Link[] = []
  let pid: number | undefined = process.pid
  do {
    const parent = parentOf(process, pid)
    links.push({ pid, parent })
    pid = parent
  } while (
    pid !== undefined &&
    stdin !== undefined &&
    stdinOf(pid) === stdin &&
    links.length < MAX_LINKS
  )
  return links
}

/** What identifies the pipe or socket that a process has as stdin; a terminal is shared by too many. */
function stdinOf(pid: number): string | undefined {
  try {
    const link = readlinkSync(`/proc/${pid}/fd/0`)
    return /^(pipe|socket):/.test(link) ? link : undefined
  } catch {
    return undefined // no /proc here, or somebody else's process
  }
}

function parentOf(process: NodeJS.Process, pid: number): number | undefined {
  if (pid === process.pid) return process.ppid
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // "pid (name) state parent …"; the name may contain anything.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ', 2)[1])
  } catch {
    return undefined
  }
}
