import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  failurePage,
  type Page,
  refusal,
  stoppedPage,
  strayPage,
  successPage,
} from '../../src/auth/pages.ts'

const HTML_PAGES: readonly (readonly [string, Page])[] = [
  ['success', successPage()],
  ['failure', failurePage('Access was denied', 'The server said no.')],
  ['stopped', stoppedPage()],
  ['stray', strayPage()],
]

function styleOf({ body }: Page): string {
  return /<style>([^]*)<\/style>/.exec(body)?.[1] ?? ''
}

test.each(HTML_PAGES)(
  '%s: the policy allows this one style sheet and nothing else',
  (_name, page) => {
    const hash = createHash('sha256').update(styleOf(page)).digest('base64')
    expect(page.headers['content-security-policy']?.split('; ')).toEqual([
      "default-src 'none'",
      `style-src 'sha256-${hash}'`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ])
  },
)

test.each([...HTML_PAGES, ['refusal', refusal(404)] as const])(
  '%s: not kept, not sniffed, not framed, not told to the next site',
  (_name, { headers }) => {
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'content-security-policy': expect.stringMatching(
        /default-src 'none'.*frame-ancestors 'none'/,
      ),
    })
  },
)

test.each(HTML_PAGES)(
  '%s: no script, no handler, no style attribute, nothing to load',
  (_name, page) => {
    expect(page.body).not.toMatch(/<script|<iframe|<form|<img|<a\s|\son\w+=|\sstyle=|javascript:/i)
    expect(page.body).not.toMatch(/(src|href)="(?!data:)/)
    expect(page.body).not.toMatch(/url\(|@import/)
  },
)

test.each(HTML_PAGES)('%s: says what happened and that the window can go', (_name, page) => {
  expect(page.body).toContain('<html lang="en">')
  expect(page.body.match(/<main>/g)).toHaveLength(1)
  const [, heading] = /<h1>(.+)<\/h1>/.exec(page.body) ?? []
  expect(page.body).toContain(`<title>${heading}</title>`)
  expect(page.body).toContain('You can close this window')
})

test('only a success says so', () => {
  expect(HTML_PAGES.map(([, { status }]) => status)).toEqual([200, 400, 400, 400])
  expect(HTML_PAGES.map(([, { body }]) => body.includes('You are signed in'))).toEqual([
    true,
    false,
    false,
    false,
  ])
})

test.each([
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><script>alert(1)</script>',
  '&lt;script&gt;',
])('A-62: %s is shown as it was written', (text) => {
  const { body } = failurePage(text, text)
  const escaped = text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
  const plain = failurePage('T', 'D').body
  expect(body).toBe(
    plain
      .replace('<title>T', () => `<title>${escaped}`)
      .replace('<h1>T', () => `<h1>${escaped}`)
      .replace('>D<', () => `>${escaped}<`),
  )
})

test('a text of a server is cleaned and cut', () => {
  const { body } = failurePage('a\u0000b\u001b[31m\u202Ec', 'x'.repeat(10_000))
  expect(body).toContain('<h1>a b [31m c</h1>')
  expect(body).toMatch(/>x{500}</)
})

test('a refusal is plain text', () => {
  const { status, headers, body } = refusal(405, { allow: 'GET' })
  expect(status).toBe(405)
  expect(headers).toMatchObject({ allow: 'GET', 'content-type': 'text/plain; charset=utf-8' })
  expect(body).not.toContain('<')
})

/** The custom properties of the first or the second `:root` block: light or dark. */
function palette(scheme: 'light' | 'dark'): Record<string, string> {
  const blocks = [...styleOf(successPage()).matchAll(/:root\s*{([^}]*)}/g)]
  const block = blocks[scheme === 'light' ? 0 : 1]?.[1] ?? ''
  const pairs = [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)]
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value]))
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

test.each(['light', 'dark'] as const)('%s: text and drawing stand out (WCAG 2.2 AA)', (scheme) => {
  const colours = palette(scheme)
  const between = (one: string, other: string): number =>
    contrast(colours[one] ?? '', colours[other] ?? '')
  for (const ground of ['sky', 'water']) {
    expect(between('ink', ground)).toBeGreaterThan(7)
    expect(between('soft', ground)).toBeGreaterThan(4.5)
    expect(between('bridge', ground)).toBeGreaterThan(3)
    expect(between('lost', ground)).toBeGreaterThan(3)
  }
  expect(between('note-ink', 'note')).toBeGreaterThan(7)
})

test('nothing moves for readers who asked for that', () => {
  const style = styleOf(successPage())
  const still = style.replace(
    /@media \(prefers-reduced-motion: no-preference\) {(?:[^{}]*{[^{}]*})*\s*}/,
    '',
  )
  expect(style).toContain('animation:')
  expect(still).not.toMatch(/animation:|transition:/)
})
