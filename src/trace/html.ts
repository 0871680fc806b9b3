import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
// oxlint-disable-next-line import/default -- what is imported is its text
import script from './report/main.ts?bundle'
import page from './report/page.html?text'
import style from './report/style.css?text'

/**
 * The report: one page that needs nothing else. Its policy lets it run its own script and style, by
 * hash, and load nothing from anywhere. The trace is packed, so that 50,000 messages are a file that can
 * be sent.
 *
 * @param lines the records, one a line
 */
export function reportPage(lines: string, title: string): string {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const parts: Readonly<Record<string, string>> = {
    policy,
    title: escapeHtml(title),
    style,
    script,
    // Base64 has no character that HTML could mistake for its own.
    data: gzipSync(lines).toString('base64'),
  }
  return page.replaceAll(
    /(?:\s*\/\* )?%%(\w+)%%(?: \*\/\s*)?/g,
    (_, name: string) => parts[name] ?? '',
  )
}

/** As a browser computes it, of what stands between the tags (CSP 3 §2.3.1). */
function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
