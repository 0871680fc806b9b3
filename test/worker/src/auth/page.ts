import { html, toText, type Html } from './html.ts'
import { styleElement } from './page-style.ts'

interface Page {
  readonly title: string
  readonly body: Html
  readonly status?: number
  /** Headers that must travel with the page, such as the consent cookie. */
  readonly headers?: Headers
  /** Where the page leads by itself. */
  readonly refreshTo?: string
}

/** A page of the sign-in, with the headers that keep scripts, frames and other sites out of it. */
export function htmlResponse(page: Page): Response {
  const nonce = crypto.randomUUID()
  const headers = new Headers(page.headers)
  headers.set('Content-Type', 'text/html; charset=utf-8')
  headers.set(
    'Content-Security-Policy',
    `default-src 'none'; style-src 'nonce-${nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  )
  headers.set('Cache-Control', 'no-store')
  headers.set('X-Content-Type-Options', 'nosniff')
  headers.set('X-Frame-Options', 'DENY')
  // Not `no-referrer`: under it browsers post the form with `Origin: null`, and the Origin check of
  // the gateway would have to let that value through.
  headers.set('Referrer-Policy', 'same-origin')
  return new Response(toText(documentOf(page, nonce)), { status: page.status ?? 200, headers })
}

/** The answer to a failure that must not be sent to the client, because no client is trusted yet. */
export function failurePage(what: string, status = 400): Response {
  return htmlResponse({
    title: 'Sign-in stopped',
    status,
    body: html`<h1>Sign-in stopped</h1>
      <p>${what}</p>
      <p class="soft">
        Nothing was shared. Close this window and start again from your app. If that does not help,
        let the app forget what it has saved about this server.
      </p>`,
  })
}

/**
 * Leaves for another origin after a form was posted. A plain redirect would not do: browsers apply
 * `form-action` to every hop after a form, and the hops of a sign-in cannot be known in advance.
 * So the page is answered and leads on by itself, without script.
 */
export function leaveFor(target: string, headers: Headers): Response {
  const kept = new Headers(headers)
  kept.delete('Location')
  const { host } = new URL(target)
  return htmlResponse({
    title: 'One moment',
    headers: kept,
    refreshTo: target,
    body: html`<h1>One moment</h1>
      <p class="soft">Taking you to ${host}.</p>
      <div class="actions"><a class="button" href="${target}">Continue</a></div>`,
  })
}

// A link between two ends: the one decoration of these pages.
const MARK = html`<svg
  class="mark"
  viewBox="0 0 56 24"
  fill="none"
  stroke="currentColor"
  aria-hidden="true"
>
  <circle cx="10" cy="12" r="8" stroke-width="2.5" />
  <circle cx="46" cy="12" r="8" fill="currentColor" stroke-width="2.5" />
  <path d="M18 12h20" stroke-width="2.5" stroke-dasharray="2 4" stroke-linecap="round" />
</svg>`

function documentOf({ title, body, refreshTo }: Page, nonce: string): Html {
  const refresh =
    refreshTo === undefined
      ? undefined
      : html`<meta http-equiv="refresh" content="0; url=${refreshTo}" />`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        ${refresh} ${styleElement(nonce)}
      </head>
      <body>
        <main>${MARK}${body}</main>
      </body>
    </html>`
}
