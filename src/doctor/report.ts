import { arch, release } from 'node:os'
import packageJson from '../../package.json' with { type: 'json' }
import type { Context } from './check.ts'
import type { Result } from './run.ts'

/** What a report must not tell. */
export interface Private {
  /** Values that are masked wherever they stand. */
  readonly secrets: readonly string[]
  /** The person's folder, which becomes `~`. */
  readonly home: string
}

const MARKS = { ok: '✓', warn: '!', fail: '✗', skipped: '-' } as const

/** The findings in Markdown, to be pasted into an issue: see `redacted` for what is left out. */
export function report(
  results: readonly Result[],
  { machine }: Context,
  /** The names of the options that were given. */
  options: readonly string[],
  hidden: Private,
): string {
  const rows = results.map(({ check, finding: { level, code, seen, fix } }) => {
    const cells = [MARKS[level], check.title, code, seen, fix ?? ''].map((cell) =>
      redacted(cell, hidden)
        .replaceAll('|', String.raw`\|`)
        .replaceAll(/\s+/g, ' '),
    )
    return `| ${cells.join(' | ')} |`
  })
  const used = options.length === 0 ? 'none' : options.map((name) => `\`--${name}\``).join(', ')
  return `### ${packageJson.name} doctor

- ${packageJson.name} ${packageJson.version}, Node ${machine.nodeVersion}, ${machine.platform} ${release()} ${arch()}
- Options: ${used}

|   | check | code | seen | fix |
| - | ----- | ---- | ---- | --- |
${rows.join('\n')}
`
}

/** Shorter values would mask half the words of a text. */
const MIN_SECRET_CHARS = 4

/**
 * A text without what is nobody's business: known secrets by value; of URLs the user name, password,
 * query and path segments that look like keys; tokens by their form; the person's folder.
 */
function redacted(text: string, { secrets, home }: Private): string {
  let open = text
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length < MIN_SECRET_CHARS) continue
    for (const form of [secret, encodeURIComponent(secret)]) open = open.replaceAll(form, '…')
  }
  if (home.length > 1) open = open.replaceAll(home, '~')
  return open
    .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '…')
    .replaceAll(/\b(Bearer|Basic)\s+[\w\-.~+/=]+/gi, '$1 …')
    .replaceAll(
      /(https?:\/\/)([^\s/"'|]*)([^\s"'|)\]},;]*)/g,
      (_, scheme: string, host: string, path: string) => {
        const [folders = ''] = path.split(/[?#]/)
        const plain = folders.split('/').map((part) => (looksLikeKey(part) ? '…' : part))
        return `${scheme}${host.replace(/^.*@/, '')}${plain.join('/')}`
      },
    )
}

/** Some services put the key into the path. */
export function looksLikeKey(part: string): boolean {
  return (
    part.length >= 16 &&
    /\d/.test(part) &&
    /^[\w\-~=.%]+$/.test(part) &&
    !/^\.?[a-z]+([-.][a-z]+)*$/.test(part)
  )
}
