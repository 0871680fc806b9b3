const ESCAPES = /** @type {Readonly<Record<string, string>>} */ ({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
})

/** @param {string} text */
const escape = (text) => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')

const STYLE = `
:root { color-scheme: light dark; --page: #f4f4f1; --card: #fff; --ink: #1d1f23; --soft: #5c6068; --line: #dcdcd6; --focus: #2f5fd0 }
@media (prefers-color-scheme: dark) { :root { --page: #17181b; --card: #202226; --ink: #ececea; --soft: #a3a7af; --line: #363940; --focus: #8fb0ff } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 24rem; padding: 32px; background: var(--card); border: 1px solid var(--line); border-radius: 14px }
h1 { margin: 0 0 8px; font-size: 1.25rem }
p { margin: 0 0 20px; color: var(--soft) }
button { display: block; width: 100%; min-height: 48px; margin: 0 0 10px; padding: 10px 16px; text-align: left; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 10px; cursor: pointer }
button:hover { border-color: var(--soft) }
button:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px }
button small { display: block; color: var(--soft) }
button.plain { text-align: center; border-color: transparent; color: var(--soft) }
`

/**
 * The sign-in form of the stand-in: one button per person, no password, since nothing here is secret.
 *
 * @param {readonly import('./idp.mjs').Person[]} people
 */
export function signInPage(people) {
  const buttons = people.map(
    ({ login, name, roles }) =>
      `<button name="login" value="${escape(login)}">${escape(name)}
        <small>${escape(roles.length === 0 ? 'no special role' : roles.join(', '))}</small></button>`,
  )
  return page(
    'Sign in',
    `<h1>Who are you?</h1>
    <p>This is a stand-in for a real identity provider. It runs on this computer only.</p>
    <form method="post">${buttons.join('\n')}
      <button class="plain" name="cancel" value="yes">Cancel</button>
    </form>`,
  )
}

/**
 * A page that says what went wrong.
 *
 * @param {string} what
 */
export const failurePage = (what) =>
  page('Sign-in failed', `<h1>Sign-in failed</h1><p>${escape(what)}</p>`)

/**
 * @param {string} title
 * @param {string} body
 */
const page = (title, body) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${STYLE}</style></head>
<body><main>${body}</main></body></html>`
