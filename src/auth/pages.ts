import { createHash } from 'node:crypto'
import { MAX_ERROR_MESSAGE_CHARS } from '../limits.ts'
import { printable } from '../log.ts'

/** A whole answer for a browser. */
export interface Page {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The answer after a sign-in that succeeded to its end: a page, or the way to the user's own one. */
export function successPage(next?: string): Page {
  if (next !== undefined) return { status: 303, headers: { ...HEADERS, location: next }, body: '' }
  return htmlPage(200, 'whole', {
    title: 'You are signed in',
    text: 'You can close this window and go back to your app.',
  })
}

/** The page after a sign-in that failed; both texts may come from a server. */
export function failurePage(title: string, detail: string): Page {
  return htmlPage(400, 'broken', {
    title: excerpt(title),
    detail: excerpt(detail),
    text: 'You can close this window. To try again, go back to your app.',
  })
}

/** The page for somebody whose sign-in ended because the program stopped waiting. */
export function stoppedPage(): Page {
  return failurePage('Sign-in was stopped', 'The app that asked for it is not waiting any more.')
}

/** The page for a `state` that nobody waits for: an old tab, or somebody's forgery. */
export function strayPage(): Page {
  return failurePage(
    'This sign-in is not expected',
    'It is an old one, or it was not started by your app. Nothing was changed.',
  )
}

/** The answer to a request that no sign-in makes. */
export function refusal(status: number, extra: Readonly<Record<string, string>> = {}): Page {
  const headers = {
    ...HEADERS,
    ...extra,
    'content-type': 'text/plain; charset=utf-8',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  }
  return { status, headers, body: 'Not a sign-in.\n' }
}

/** A server's words as one short paragraph: no control characters, no change of direction. */
function excerpt(text: string): string {
  return printable(text).trim().slice(0, MAX_ERROR_MESSAGE_CHARS)
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
}

interface Words {
  readonly title: string
  readonly detail?: string
  readonly text: string
}

function htmlPage(status: number, bridge: 'whole' | 'broken', words: Words): Page {
  const detail =
    words.detail === undefined ? '' : `\n<p class="detail">${escaped(words.detail)}</p>`
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escaped(words.title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">
<style>${STYLE}</style>
</head>
<body class="${bridge}">
<main>
${drawing(bridge)}
<h1>${escaped(words.title)}</h1>${detail}
<p>${escaped(words.text)}</p>
</main>
<footer>This page is from <b>bridge</b>, the program that connects your app.</footer>
</body>
</html>
`
  const csp = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  const headers = {
    ...HEADERS,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': csp,
  }
  return { status, headers, body }
}

/** Nothing here may be kept, sniffed, framed, embedded or told to the next site. */
const HEADERS = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const

// Colours come in pairs with at least 4.5:1 for text (WCAG 2.2, 1.4.3) and 3:1 for what the drawing
// says (1.4.11). Sizes are in rem, so that a reader's own font size is respected, and nothing moves
// for readers who asked for that.
const STYLE = `
:root {
  color-scheme: light dark;
  --sky: #fbfaf6; --water: #e4ece6; --ink: #1c211f; --soft: #555d59; --faint: #b9c6be;
  --bridge: #2b5a4b; --note: #f5ecd6; --note-ink: #57410f; --lost: #a06c12;
}
@media (prefers-color-scheme: dark) {
  :root {
    --sky: #101413; --water: #17231e; --ink: #edf0ee; --soft: #a5afa9; --faint: #35453d;
    --bridge: #9fd3bf; --note: #2b2516; --note-ink: #eedcab; --lost: #dfb15b;
  }
}
* { box-sizing: border-box; margin: 0; }
html { min-height: 100%; background: linear-gradient(var(--sky) 40%, var(--water)) var(--water); }
body {
  min-height: 100vh; min-height: 100dvh; padding: 2.5rem 1.25rem 1.5rem;
  display: grid; grid-template-rows: 1fr auto; justify-items: center; gap: 2rem;
  color: var(--ink); font: 1.0625rem/1.6 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  text-align: center; overflow-wrap: anywhere;
}
main { align-self: center; width: 100%; max-width: 29rem; }
svg { display: block; width: 100%; max-width: 20rem; margin: 0 auto 2rem; }
h1 { font-size: 1.75rem; line-height: 1.25; font-weight: 600; letter-spacing: -0.02em; text-wrap: balance; }
p { margin-top: 0.75rem; color: var(--soft); text-wrap: balance; }
.detail { margin: 1.25rem 0; padding: 0.8rem 1.1rem; border-radius: 0.75rem; background: var(--note); color: var(--note-ink); }
footer { max-width: 29rem; color: var(--soft); font-size: 0.8125rem; }
footer b { font-weight: 600; }
.line, .thin, .lost, .wave { fill: none; stroke: var(--bridge); stroke-width: 2.5; stroke-linecap: round; stroke-linejoin: round; }
.thin { stroke-width: 1.25; opacity: 0.6; }
.lost { stroke: var(--lost); stroke-width: 3; stroke-dasharray: 0.1 6.5; }
.wave { stroke: var(--faint); stroke-width: 1.75; }
.end { fill: var(--sky); stroke: var(--bridge); stroke-width: 2.5; }
.on { fill: var(--bridge); }
@media (prefers-reduced-motion: no-preference) {
  .whole .deck { stroke-dasharray: 1; animation: draw 0.8s cubic-bezier(0.6, 0, 0.2, 1) both; }
  .whole .sun { stroke-dasharray: 1; animation: draw 0.5s 0.7s ease-out both; }
  .whole .on { animation: arrive 0.2s 0.7s both; }
}
@keyframes draw { from { stroke-dashoffset: 1; } to { stroke-dashoffset: 0; } }
@keyframes arrive { from { fill: var(--sky); } }
`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** A bridge between two ends: whole when they are connected, broken in the middle when not. */
function drawing(bridge: 'whole' | 'broken'): string {
  return `<svg viewBox="0 0 320 120" aria-hidden="true">
<path class="wave" d="M46 113q6-4 12 0t12 0 12 0M136 113q6-4 12 0t12 0 12 0 12 0M244 113q6-4 12 0t12 0 12 0"/>
${MIDDLE[bridge]}
<path class="thin" d="M40 75V84M60 66V84M80 51V84M120 48V84M200 48V84M240 51V84M260 66V84M280 75V84"/>
<path class="line" d="M100 26V106M220 26V106M20 80Q70 70 100 28M300 80Q250 70 220 28"/>
<circle class="end" cx="15" cy="84" r="8"/>
<circle class="end${bridge === 'whole' ? ' on' : ''}" cx="305" cy="84" r="8"/>
</svg>`
}

const MIDDLE = {
  whole: `<path class="thin" d="M140 60V84M160 64V84M180 60V84"/>
<path class="line" d="M100 28Q160 100 220 28"/>
<path class="line deck" pathLength="1" d="M23 84H297"/>
<circle class="line sun" pathLength="1" cx="160" cy="22" r="15"/>
<path class="line sun" pathLength="1" d="M153 22.5l5 5 9.5-10"/>`,
  broken: `<path class="thin" d="M140 60V84M180 60V84"/>
<path class="line" d="M100 28Q120 52 140 60M220 28Q200 52 180 60M23 84H140M180 84H297"/>
<path class="lost" d="M146.5 84H175M146 62.2Q160 66 175 62"/>`,
} as const

/** The two ends and what joins them, for the tab; it has no style sheet, so its colour suits both. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#4d9079" stroke-width="3"><path d="M11 16h10"/><circle cx="7" cy="16" r="4.5"/><circle cx="25" cy="16" r="4.5" fill="#4d9079"/></svg>'
