import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { makeProvider } from './idp.config.mjs'
import { failurePage, signInPage } from './idp.page.mjs'

/**
 * @typedef {{ readonly login: string, readonly name: string, readonly roles: readonly string[] }} Person
 *
 * @typedef {object} Idp
 * @property {string} issuer Loopback URL of the identity provider.
 * @property {string} clientId The Worker's client at this provider.
 * @property {string} clientSecret
 * @property {(uri: string) => void} allowRedirect Accepts a callback of the Worker, whose port is not known in advance.
 * @property {() => Promise<void>} stop
 */

/**
 * The two people who can sign in here: one with the admin role, one without.
 *
 * @type {readonly Person[]}
 */
export const people = [
  { login: 'ada', name: 'Ada', roles: ['admin'] },
  { login: 'ben', name: 'Ben', roles: [] },
]

/** A posted sign-in form is a few dozen bytes. */
const MAX_FORM_BYTES = 4096

/**
 * Starts an OpenID Connect provider on loopback, so that the OAuth flavour needs no account
 * anywhere. It is a real one (oidc-provider): discovery, PKCE, nonce, userinfo and `iss` all work.
 *
 * @param {{ port?: number, clientSecret?: string }} [options]
 * @returns {Promise<Idp>}
 */
export async function startIdp({ port = 0, clientSecret = randomBytes(24).toString('hex') } = {}) {
  const clientId = 'bridge-worker'
  const redirects = /** @type {Set<string>} */ (new Set())
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  const issuer = `http://127.0.0.1:${address.port}`

  const provider = await makeProvider({ issuer, clientId, clientSecret, people })
  provider.Client.prototype.redirectUriAllowed = (/** @type {string} */ uri) => redirects.has(uri)
  const interact = interaction(provider)
  const answer = provider.callback()
  server.on('request', (request, response) => {
    const handled = request.url?.startsWith('/interaction/')
      ? interact(request, response)
      : answer(request, response)
    handled.catch(() => {
      response.writeHead(400, { 'content-type': 'text/html; charset=utf-8' })
      response.end(failurePage('This sign-in has expired or was used already.'))
    })
  })

  return {
    issuer,
    clientId,
    clientSecret,
    allowRedirect: (uri) => void redirects.add(uri),
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/**
 * The page behind an authorization request: GET shows the people, POST takes the choice.
 *
 * @param {import('oidc-provider').Provider} provider
 */
function interaction(provider) {
  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  return async (request, response) => {
    await provider.interactionDetails(request, response)
    if (request.method !== 'POST') {
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
      })
      response.end(signInPage(people))
      return
    }
    const form = await readForm(request)
    const person = people.find(({ login }) => login === form.get('login'))
    await provider.interactionFinished(
      request,
      response,
      person === undefined
        ? { error: 'access_denied', error_description: 'The person cancelled the sign-in.' }
        : { login: { accountId: person.login } },
    )
  }
}

/** @param {import('node:http').IncomingMessage} request */
async function readForm(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > MAX_FORM_BYTES) throw new Error('form too large')
  }
  return new URLSearchParams(text)
}
