import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createLog } from '../../src/log.ts'
import { openCredentials } from '../../src/store/credentials.ts'
import type { StoredTokens } from '../../src/store/record.ts'
import type { World } from '../auth/world.ts'
import { emptyFolder } from './examine.ts'

/** Signs in at the authority of a world and keeps that; gives the folder for `BRIDGE_HOME`. */
export async function keepSignIn(
  world: World,
  change: (tokens: StoredTokens) => StoredTokens = (tokens) => tokens,
): Promise<string> {
  const { issuer } = world.authority
  const redirectUri = 'http://127.0.0.1:20999/callback'
  const metadata = (await (
    await fetch(`${issuer}/.well-known/oauth-authorization-server`)
  ).json()) as never
  const registered = (await (
    await fetch(`${issuer}/register`, {
      method: 'POST',
      body: JSON.stringify({ redirect_uris: [redirectUri] }),
    })
  ).json()) as { client_id: string }
  const verifier = randomBytes(32).toString('base64url')
  const page = new URL(`${issuer}/authorize`)
  page.search = String(
    new URLSearchParams({
      client_id: registered.client_id,
      redirect_uri: redirectUri,
      state: 'state',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    }),
  )
  const back = (await fetch(page, { redirect: 'manual' })).headers.get('location')!
  const answer = (await (
    await fetch(`${issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: new URL(back).searchParams.get('code')!,
        code_verifier: verifier,
        redirect_uri: redirectUri,
        client_id: registered.client_id,
      }),
    })
  ).json()) as { access_token: string; refresh_token?: string }
  const home = emptyFolder()
  const server = new URL(world.mcp.url)
  const key = { server, resource: undefined, profile: 'default' }
  const credentials = openCredentials(
    join(home, 'data', 'credentials'),
    key,
    createLog(process.stderr),
    new AbortController().signal,
  )
  const clientId = registered.client_id
  const tokens = change({
    accessToken: answer.access_token,
    ...(answer.refresh_token === undefined ? {} : { refreshToken: answer.refresh_token }),
    obtainedAt: Date.now(),
    expiresAt: Date.now() + 3_600_000,
    clientId,
    grant: 'authorization_code',
  })
  const client = { clientId, authMethod: 'none', redirectUris: [redirectUri] }
  await credentials.exclusive(({ record, save }) =>
    save({ ...record, current: issuer, issuers: { [issuer]: { metadata, client, tokens } } }),
  )
  return home
}
