import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openBrowser } from '../dev/browser.mjs'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import {
  listenForCallback,
  post,
  registerApp,
  structuredOf,
  toolCall,
  type App,
  type Tokens,
} from './oauth.client.ts'
import { startGitHub, type GitHubStandIn } from './oauth.github.ts'

let github: GitHubStandIn
let worker: RunningWorker
let callback: Awaited<ReturnType<typeof listenForCallback>>
let app: App
beforeAll(async () => {
  ;[github, callback] = await Promise.all([startGitHub(), listenForCallback()])
  worker = await startWorker({
    flavour: 'oauth',
    vars: {
      UPSTREAM: 'github',
      GITHUB_CLIENT_ID: github.clientId,
      GITHUB_CLIENT_SECRET: github.clientSecret,
      GITHUB_BASE_URL: github.url,
      GITHUB_API_URL: `${github.url}/api`,
      ADMIN_USER_IDS: 'github-1, github-583231',
    },
  })
  app = await registerApp(worker.url, callback.url)
})
beforeEach(() => github.behave('well'))
afterAll(async () => {
  callback.close()
  await Promise.all([worker.stop(), github.stop()])
})

/** Allows the app and lets the stand-in do the rest; it has no page of its own. */
async function allow(scope = 'mcp:read'): Promise<URL> {
  const browser = openBrowser()
  const page = await browser.visit(app.authorizeUrl({ scope }))
  return new URL((await browser.submit(page, { decision: 'allow' })).url)
}

describe('GitHub as identity provider', () => {
  test('is asked who the person is, with PKCE and the smallest scope', async () => {
    await allow()
    expect(github.lastAuthorization()).toMatchObject({
      client_id: github.clientId,
      redirect_uri: `${worker.url}/callback`,
      scope: 'read:user',
      code_challenge_method: 'S256',
    })
  })

  test('makes the numeric id the owner and shows the login', async () => {
    const tokens = (await (await app.redeem(await allow())).json()) as { access_token: string }
    const answer = await post(`${worker.url}/mcp`, tokens.access_token, toolCall('whoami'))
    expect(await structuredOf(answer)).toMatchObject({ owner: 'github-583231', login: 'octocat' })
  })

  test('knows no roles, so the deployer lists who is an administrator', async () => {
    const tokens = await (await app.redeem(await allow('mcp:read notes:admin'))).json()
    expect(tokens).toMatchObject({ scope: 'mcp:read notes:admin' })
  })

  test.each([
    ['the person declines', 'decline', 'access_denied'],
    ['the code is refused', 'refuse-code', 'server_error'],
    ['it is down', 'break', 'temporarily_unavailable'],
    ['it answers with a page instead of JSON', 'html', 'server_error'],
    ['it redirects instead of answering', 'redirect', 'server_error'],
  ] as const)('when %s, tells the app why there is no code', async (_what, behaviour, error) => {
    github.behave(behaviour)
    expect(Object.fromEntries((await allow()).searchParams)).toEqual({
      error,
      state: 'state-of-the-app',
      iss: worker.url,
    })
  })

  test('leaves no code, token or secret in the log', async () => {
    const url = await allow()
    const tokens = (await (await app.redeem(url)).json()) as Tokens
    await post(`${worker.url}/mcp`, tokens.access_token, toolCall('whoami'))
    const log = JSON.stringify(worker.logs)
    expect(log).toContain('signed_in')
    const secrets = [
      ...github.issued(),
      github.clientSecret,
      url.searchParams.get('code') ?? '',
      tokens.access_token,
      tokens.refresh_token,
    ]
    for (const secret of secrets) expect(log).not.toContain(secret)
  })
})
