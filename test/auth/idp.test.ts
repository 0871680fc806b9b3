import { describe, expect, test } from 'vitest'
import { json } from '../support/http-server.ts'
import { emptyFolder } from '../store/folder.ts'
import { type Authority, type Script, startAuthority } from './authority.ts'
import { visit } from './browser-stub.ts'
import type { IdpOptions } from '../../src/auth/enterprise-options.ts'
import { type Running, startAuthorizer } from './running.ts'
import { startWorld, type World } from './world.ts'

const OK = { ok: true }
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'
const client = { clientId: 'c', clientSecret: undefined, key: undefined, authMethod: undefined }

/** An ID token that lives for so many seconds. */
function idTokenFor(seconds: number): string {
  const claims = { sub: 'anna', exp: Math.floor(Date.now() / 1000) + seconds }
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
}

interface Company {
  readonly world: World
  readonly provider: Authority
  readonly bridge: Running
  /** The ID tokens that the provider was shown. */
  shown(): (string | null)[]
}

/** A server that takes the word of a provider, and a bridge that is told of both. */
async function company(
  idp: Partial<IdpOptions> = {},
  { lives = 600, refuses, ...script }: Script & { lives?: number; refuses?: string } = {},
  metadata: Record<string, unknown> = {},
): Promise<Company> {
  const provider = await startAuthority({
    token({ form }, response) {
      const grant = form.get('grant_type')
      if (grant === 'urn:ietf:params:oauth:grant-type:device_code') {
        json(response, { error: 'authorization_pending' }, { status: 400 })
      } else if (grant !== EXCHANGE) {
        const tokens = { access_token: 'of-the-session', token_type: 'Bearer' }
        json(response, { ...tokens, id_token: idTokenFor(lives) })
      } else if (refuses !== undefined) {
        json(response, { error: refuses }, { status: 400 })
      } else {
        const assertion = { access_token: 'the-word', issued_token_type: ID_JAG, token_type: 'N_A' }
        json(response, assertion)
      }
      return true
    },
    ...script,
  })
  const world = await startWorld({
    script: {
      metadata,
      token({ form }, response) {
        const vouched = form.get('assertion') === 'the-word'
        const answer = vouched
          ? { access_token: 'mcp-token', token_type: 'Bearer' }
          : { error: 'invalid_grant' }
        json(response, answer, { status: vouched ? 200 : 400 })
        return true
      },
    },
  })
  const options = {
    grant: 'enterprise' as const,
    client,
    idp: { issuer: provider.issuer, client, idToken: undefined, device: false, ...idp },
  }
  const env = { ID_TOKEN: 'of-the-platform' }
  const bridge = startAuthorizer(world, emptyFolder(), options, { env })
  const shown = (): (string | null)[] =>
    provider.tokenCalls
      .filter(({ form }) => form.get('grant_type') === EXCHANGE)
      .map(({ form }) => form.get('subject_token'))
  return { world, provider, bridge, shown }
}

const fixed = { idToken: { kind: 'variable', name: 'ID_TOKEN' } } as const

describe('A-113: an ID token that is given', () => {
  test('needs nobody', async () => {
    const { bridge, provider, shown } = await company(fixed)
    expect(await bridge.refused()).toEqual(OK)
    expect(bridge.credential()).toBe('Bearer mcp-token')
    expect(shown()).toEqual(['of-the-platform'])
    expect(provider.authorizations).toEqual([])
  })

  test('and is not accepted is shown once, and nobody is asked in its place', async () => {
    const { bridge, shown } = await company(fixed, { refuses: 'invalid_grant' })
    expect(await bridge.refused()).toMatchObject({
      ok: false,
      message: expect.stringContaining('invalid_grant'),
    })
    expect(shown()).toEqual(['of-the-platform'])
    expect(bridge.pending()).toBeUndefined()
  })
})

test('A-114: a server that does not take the word of a provider is not shown it', async () => {
  const profiles = { authorization_grant_profiles_supported: ['urn:x'] }
  const { bridge, world, shown } = await company(fixed, {}, profiles)
  expect(await bridge.refused()).toMatchObject({
    message: `${world.authority.issuer} does not take the word of an identity provider.`,
    hint: 'Leave --idp-issuer out to sign in there.',
  })
  expect(shown()).toEqual([])
})

test('A-113: a provider whose ID tokens are over when they come asks a person once', async () => {
  const { bridge, provider, shown } = await company({}, { lives: -60 })
  const renewed = bridge.refused()
  await visit(await bridge.page())
  expect(await renewed).toMatchObject({
    ok: false,
    message: 'The identity provider gives no usable ID token.',
  })
  expect(provider.authorizations).toHaveLength(1)
  expect(shown()).toEqual([])
})

test('A-113: a person may sign in at the provider on another device', async () => {
  const { bridge, provider } = await company(
    { device: true },
    {
      other(request, response) {
        if (request.path !== '/device') return false
        const places = { verification_uri: 'https://idp.example/activate', user_code: 'AAAA' }
        json(response, { device_code: 'd', expires_in: 600, ...places })
        return true
      },
    },
  )
  provider.script.metadata = { device_authorization_endpoint: `${provider.issuer}/device` }
  const renewed = bridge.refused()
  expect(await bridge.page()).toBe('https://idp.example/activate')
  expect(bridge.pending()).toMatchObject({ code: 'AAAA' })
  await bridge.close()
  expect(await renewed).toMatchObject({ ok: false })
})
