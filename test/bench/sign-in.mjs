// @ts-check
// What a person's sign-in leaves behind, in the files of each program.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const HOUR_MS = 3_600_000

/** @typedef {{ issuer: string, accessToken: string, refreshToken: string }} SignIn */

/** In the bridge's own record (docs/storage.md). @param {string} home @param {string} url @param {SignIn} signIn */
export function storeForBridge(home, url, { issuer, accessToken, refreshToken }) {
  const obtainedAt = Date.now()
  const tokens = {
    accessToken,
    refreshToken,
    expiresAt: obtainedAt + HOUR_MS,
    obtainedAt,
    clientId: 'bench',
    grant: 'authorization_code',
  }
  const client = { clientId: 'bench', authMethod: 'none', redirectUris: [] }
  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
  }
  const record = {
    layout: 1,
    server: url,
    profile: 'default',
    current: issuer,
    issuers: { [issuer]: { metadata, client, tokens } },
  }
  const identity = JSON.stringify([url, null, 'default'])
  const name = createHash('sha256').update(identity).digest('hex').slice(0, 32)
  store(join(home, 'data', 'credentials'), `${name}.json`, record)
}

/** In the files of mcp-remote, which are named after the MD5 of the URL. @param {string} home @param {string} url @param {SignIn} signIn */
export function storeForMcpRemote(home, url, { issuer, accessToken, refreshToken }) {
  const folder = join(home, 'mcp-remote-v1')
  const name = createHash('md5').update(url).digest('hex')
  // It drops a client that was not registered for the port that it is going to listen on.
  const port = 3335 + (Number.parseInt(name.slice(0, 4), 16) % 45_816)
  const redirects = ['127.0.0.1', 'localhost'].map(
    (host) => `http://${host}:${port}/oauth/callback`,
  )
  store(folder, `${name}_client_info.json`, {
    client_id: 'bench',
    redirect_uris: redirects,
    token_endpoint_auth_method: 'none',
    issuer,
  })
  store(folder, `${name}_tokens.json`, {
    access_token: accessToken,
    refresh_token: refreshToken,
    token_type: 'Bearer',
    expires_in: HOUR_MS / 1000,
    expires_at: Date.now() + HOUR_MS,
    issuer,
  })
}

/** @param {string} folder @param {string} name @param {object} content */
function store(folder, name, content) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, name), JSON.stringify(content), { mode: 0o600 })
}
