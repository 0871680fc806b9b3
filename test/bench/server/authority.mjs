// @ts-check
// The sign-in of the server of the benchmarks: one token is good at a time.

/** The documents are found from the guarded path alone: the other servers here have no sign-in. */
const RESOURCE_PATH = '/guarded'
const ISSUER_PATH = '/issuer'

/** @param {() => string} origin */
export function createAuthority(origin) {
  let generation = 0
  /** A refresh token of before that is good once. @type {string | undefined} */
  let spendable
  const issuer = () => origin() + ISSUER_PATH
  const accessToken = () => `access-${generation}`
  const refreshToken = () => `refresh-${generation}`

  /** The documents of a sign-in (RFC 9728, RFC 8414), by path. @param {string} path @returns {object | undefined} */
  function documentAt(path) {
    if (path === `/.well-known/oauth-protected-resource${RESOURCE_PATH}`) {
      return { resource: origin() + RESOURCE_PATH, authorization_servers: [issuer()] }
    }
    if (path === `/.well-known/oauth-authorization-server${ISSUER_PATH}`) {
      return {
        issuer: issuer(),
        authorization_endpoint: `${issuer()}/authorize`,
        token_endpoint: `${issuer()}/token`,
        response_types_supported: ['code'],
        grant_types_supported: ['authorization_code', 'refresh_token'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
      }
    }
    return undefined
  }

  return {
    tokenPath: `${ISSUER_PATH}/token`,
    /** @param {string} path @param {import('node:http').IncomingMessage} request */
    refuses: (path, { headers }) =>
      path === RESOURCE_PATH && headers.authorization !== `Bearer ${accessToken()}`,
    challenge: () =>
      `Bearer resource_metadata="${origin()}/.well-known/oauth-protected-resource${RESOURCE_PATH}"`,
    documentAt,
    /** What a person who signs in now gets. */
    signIn() {
      generation++
      return { issuer: issuer(), accessToken: accessToken(), refreshToken: refreshToken() }
    },
    /** From now on the access token is refused; the refresh token is good, once. */
    revoke() {
      const good = refreshToken()
      generation++
      spendable = good
    },
    /** The answer of the token endpoint (RFC 6749 §6). @param {string} form @returns {{ status: number, body: object }} */
    refresh(form) {
      const given = new URLSearchParams(form).get('refresh_token')
      if (given !== spendable && given !== refreshToken()) {
        return { status: 400, body: { error: 'invalid_grant' } }
      }
      generation++
      spendable = undefined
      const body = {
        access_token: accessToken(),
        refresh_token: refreshToken(),
        token_type: 'Bearer',
        expires_in: 3600,
      }
      return { status: 200, body }
    },
  }
}
