import { openJar } from './browser.cookies.mjs'
import { findRefresh, fillForm } from './browser.page.mjs'

/**
 * @typedef {object} Page
 * @property {string} url Where the browser ended up, after every redirect.
 * @property {number} status
 * @property {Headers} headers
 * @property {string} body
 *
 * @typedef {object} SignInOptions
 * @property {string} [user] Who signs in: a `login` of `people` in idp.mjs. Default `ada`.
 * @property {'allow' | 'deny'} [consent] Which button of the consent page is pressed. Default `allow`.
 * @property {AbortSignal} [signal]
 *
 * @typedef {{ finalUrl: string, status: number, body: string }} SignedIn
 *
 * @typedef {object} Browser
 * @property {(url: string, init?: Visit) => Promise<Page>} visit Loads a page, following redirects.
 * @property {(page: Page, answers: Answers, init?: Visit) => Promise<Page>} submit Fills the page's form and sends it.
 * @property {(authorizeUrl: string, options?: SignInOptions) => Promise<SignedIn>} signIn
 *
 * @typedef {{ method?: string, body?: URLSearchParams, redirects?: boolean, signal?: AbortSignal | undefined }} Visit
 * @typedef {import('./browser.page.mjs').Answers} Answers
 */

/** A whole sign-in is ten redirects or so; more means that two servers send us in a circle. */
const MAX_REDIRECTS = 30
/** Consent and sign-in are two forms. A third would be a page that came back with a complaint. */
const MAX_FORMS = 4

/**
 * Signs in and answers the consent page as a person would, in a browser of its own. Resolves once
 * the last redirect, to the client's callback on loopback, has been answered.
 *
 * @param {string} authorizeUrl
 * @param {SignInOptions} [options]
 * @returns {Promise<SignedIn>}
 */
export const completeSignIn = (authorizeUrl, options) => openBrowser().signIn(authorizeUrl, options)

/**
 * A browser without a screen: it keeps cookies, follows redirects and submits forms, and runs no
 * script. It is the proof that the pages of this Worker need none.
 *
 * @returns {Browser}
 */
export function openBrowser() {
  const jar = openJar()

  /** @type {Browser['visit']} */
  async function visit(address, { method = 'GET', body, redirects = true, signal } = {}) {
    let url = new URL(address)
    let verb = method
    let form = body
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await fetch(url, {
        method: verb,
        redirect: 'manual',
        headers: {
          accept: 'text/html',
          cookie: jar.header(url),
          // A browser names the page's origin on every form it posts; servers may insist on it.
          ...(verb === 'POST' && { origin: url.origin }),
        },
        ...(form && { body: form }),
        ...(signal && { signal }),
      })
      jar.keep(url, response.headers.getSetCookie())
      const text = await response.text()
      const target = response.headers.get('location') ?? findRefresh(text)
      if (target === undefined || !redirects) {
        return { url: url.href, status: response.status, headers: response.headers, body: text }
      }
      url = new URL(target, url)
      verb = 'GET'
      form = undefined
    }
    throw new Error(`More than ${MAX_REDIRECTS} redirects, the last one to ${url.origin}`)
  }

  /** @type {Browser['submit']} */
  function submit(page, answers, init) {
    const form = fillForm(page.body, answers)
    if (form === undefined) throw new Error(`No form on ${page.url} (HTTP ${page.status})`)
    return visit(new URL(form.action, page.url).href, { ...init, method: 'POST', body: form.body })
  }

  /** @type {Browser['signIn']} */
  async function signIn(authorizeUrl, { user = 'ada', consent = 'allow', signal } = {}) {
    const answers = { login: user, decision: consent }
    let page = await visit(authorizeUrl, { signal })
    for (let forms = 0; fillForm(page.body, answers) !== undefined; forms += 1) {
      if (forms === MAX_FORMS) throw new Error(`The form on ${page.url} does not lead anywhere`)
      page = await submit(page, answers, { signal })
    }
    return { finalUrl: page.url, status: page.status, body: page.body }
  }

  return { visit, submit, signIn }
}
