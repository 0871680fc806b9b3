import { CLIENTS } from './clients.ts'
import type { Outcome } from './pair.ts'
import { SERVERS } from './servers.ts'

/**
 * The table that the README shows: a row for each server, a column for each client; what happens
 * between them, the requests until the host is connected (at the first start → at later ones), and
 * what the host cannot have there.
 */
export function squareTable(outcomes: readonly Outcome[]): string[][] {
  return SERVERS.map(({ server }) => {
    const cells = CLIENTS.map(({ client }) =>
      cell(outcomes.filter((one) => one.client === client && one.server === server)),
    )
    return [String(server)].concat(cells)
  })
}

function cell(starts: readonly Outcome[]): string {
  const ways = [...new Set(starts.map(({ way }) => way))]
  const counts = [...new Set(starts.map(({ opening }) => opening.length))]
  const lost = [...new Set(starts.flatMap(({ lost: names }) => names))]
  const without = lost.length === 0 ? [] : [`without ${lost.join(' and ')}`]
  return [ways.join(' and '), counts.join(' → '), ...without].join(', ')
}
