// @ts-check

/**
 * @typedef {object} Row
 * @property {string} group
 * @property {string} name
 * @property {string} attack
 * @property {string} expectation
 */

/** The head of docs/attacks.md. */
const HEAD = `# Attacks

What \`npm run attack\` does to the packed bridge, and what must be seen from outside. Every row starts
the program anew, in a home of its own; it also fails when stdout holds anything but JSON-RPC messages,
when stderr grows above 64 KiB, when a process takes more than 256 MiB of memory (1 GiB where messages
without an end are sent), or when it takes longer than 30 s (60 s where there is something to wait for).

The same rows run against any other stdio bridge:
\`npm run attack -- --bridge 'npx -y mcp-remote@0.15.1 {url}'\`. This file is written by
\`npm run attack -- --markdown\`; how to add a row stands in CONTRIBUTING.md.
`

/**
 * The table of the rows, as docs/attacks.md shows it.
 *
 * @param {readonly Row[]} rows
 */
export function markdown(rows) {
  const groups = [...new Set(sorted(rows).map(({ group }) => group))]
  const sections = groups.map((group) => {
    const members = rows.filter((row) => row.group === group)
    const lines = members.map(({ name, attack, expectation }) =>
      tableLine([`\`${name}\``, attack, expectation]),
    )
    return `## ${group}\n\n| row | attack | what must hold |\n|---|---|---|\n${lines.join('\n')}\n`
  })
  return [HEAD, ...sections].join('\n')
}

/**
 * By group, whichever was done first.
 *
 * @template {{ group: string }} T
 * @param {readonly T[]} rows
 */
export function sorted(rows) {
  return rows.toSorted((a, b) => a.group.localeCompare(b.group))
}

/** @param {readonly string[]} cells */
export function tableLine(cells) {
  const safe = cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' '))
  return `| ${safe.join(' | ')} |`
}
