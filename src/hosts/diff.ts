import { DIFF_CONTEXT_LINES } from '../limits.ts'
import { printable } from '../log.ts'

/**
 * The difference of two texts as the lines of a unified diff with one hunk, from the first line that
 * differs to the last one: our changes are in one place. The lines are safe for a terminal.
 */
export function unifiedDiff(path: string, before: string, after: string): string[] {
  const old = linesOf(before)
  const now = linesOf(after)
  let start = 0
  while (start < old.length && start < now.length && old[start] === now[start]) start++
  let same = 0
  const most = Math.min(old.length, now.length) - start
  while (same < most && old.at(-1 - same) === now.at(-1 - same)) same++
  const first = Math.max(0, start - DIFF_CONTEXT_LINES)
  const left = Math.max(0, same - DIFF_CONTEXT_LINES)
  const lead = old.slice(first, start)
  const tail = old.slice(old.length - same, old.length - left)
  const gone = old.slice(start, old.length - same)
  const come = now.slice(start, now.length - same)
  const range = (count: number): string => `${count === 0 ? first : first + 1},${count}`
  return [
    `--- ${before === '' ? '/dev/null' : path}`,
    `+++ ${after === '' ? '/dev/null' : path}`,
    `@@ -${range(lead.length + gone.length + tail.length)} +${range(lead.length + come.length + tail.length)} @@`,
    ...lead.map((line) => ` ${line}`),
    ...gone.map((line) => `-${line}`),
    ...come.map((line) => `+${line}`),
    ...tail.map((line) => ` ${line}`),
  ].map((line) => line.split('\t').map(printable).join('\t'))
}

function linesOf(text: string): string[] {
  if (text === '') return []
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}
