import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { beginDeviceFlow, pollDeviceFlow } from '../../src/auth/grants/device-code.ts'
import type { PendingDevice, StoredTokens } from '../../src/store/record.ts'
import { authContext, serverMetadata } from './context.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const client = { clientId: 'c', authMethod: 'none', redirectUris: [] }
const metadata = serverMetadata({ device_authorization_endpoint: 'https://as.example/device' })

const flow: PendingDevice = {
  id: 'f',
  kind: 'device',
  startedAt: 0,
  issuer: metadata.issuer,
  published: true,
  client,
  registered: true,
  resource: 'https://h.example/mcp',
  link: 'https://as.example/activate',
  userCode: 'AAAA-BBBB',
  deviceCode: 'dc',
}

const refusal = (code: string): Response => Response.json({ error: code }, { status: 400 })
const token = (): Response => Response.json({ access_token: 'a', token_type: 'Bearer' })

/** Polls until the end; the gaps between the questions, in seconds, and what came out. */
async function poll(
  answers: readonly (() => Response)[],
  more: Partial<PendingDevice> = {},
): Promise<{ gaps: number[]; forms: URLSearchParams[]; result: StoredTokens | Error }> {
  const gaps: number[] = []
  const forms: URLSearchParams[] = []
  let last = Date.now()
  const context = authContext((_url, init) => {
    gaps.push((Date.now() - last) / 1000)
    last = Date.now()
    forms.push(new URLSearchParams(init?.body as URLSearchParams))
    return Promise.resolve(answers[forms.length - 1]!())
  })
  const { signal } = new AbortController()
  const done = pollDeviceFlow(context, metadata, { ...flow, ...more }, signal).catch(
    (error: unknown) => error as Error,
  )
  await vi.advanceTimersByTimeAsync(10 * 60_000)
  return { gaps, forms, result: await done }
}

describe('A-118: how often the device code is asked for', () => {
  test('every five seconds when the server does not say', async () => {
    const pending = (): Response => refusal('authorization_pending')
    const { gaps, result } = await poll([pending, pending, token])
    expect(gaps).toEqual([5, 5, 5])
    expect(result).toMatchObject({ accessToken: 'a', grant: 'device_code' })
  })

  test('as often as the server says', async () => {
    const { gaps } = await poll([() => refusal('authorization_pending'), token], {
      intervalMs: 2000,
    })
    expect(gaps).toEqual([2, 2])
  })

  test('two slow_down answers raise the gap to 15 s, for good', async () => {
    const slow = (): Response => refusal('slow_down')
    const pending = (): Response => refusal('authorization_pending')
    const { gaps } = await poll([slow, slow, pending, token])
    expect(gaps).toEqual([5, 10, 15, 15])
  })

  test('a server that does not answer is asked more and more seldom', async () => {
    const down = (): Response => new Response('', { status: 503 })
    const { gaps, result } = await poll([down, down, token])
    expect(gaps).toEqual([5, 10, 20])
    expect(result).toMatchObject({ accessToken: 'a' })
  })

  test.each([
    ['access_denied', /denied/],
    ['expired_token', /not entered in time/],
    ['invalid_grant', /gave no token/],
  ])('%s ends it', async (code, message) => {
    const { gaps, result } = await poll([() => refusal(code)])
    expect(gaps).toHaveLength(1)
    expect((result as Error).message).toMatch(message)
  })

  test('the end of the code ends it, whatever the server says', async () => {
    const pending = Array.from({ length: 20 }, () => () => refusal('authorization_pending'))
    const { gaps, result } = await poll(pending, { expiresAt: Date.now() + 22_000 })
    expect(gaps).toHaveLength(4)
    expect((result as Error).message).toMatch(/not entered in time/)
  })
})

test('A-117: what is asked, at the beginning and then', async () => {
  let asked = new URLSearchParams()
  const context = authContext((_url, init) => {
    asked = new URLSearchParams(init?.body as URLSearchParams)
    return Promise.resolve(
      Response.json({
        device_code: 'dc',
        user_code: 'AAAA-BBBB',
        verification_uri: 'https://as.example/activate',
        verification_uri_complete: 'https://as.example/activate?user_code=AAAA-BBBB',
        expires_in: 600,
      }),
    )
  })
  const request = { scope: 'a b', resource: 'https://h.example/mcp' }
  expect(await beginDeviceFlow(context, metadata, client, request)).toEqual({
    link: 'https://as.example/activate?user_code=AAAA-BBBB',
    userCode: 'AAAA-BBBB',
    deviceCode: 'dc',
    intervalMs: 5_000,
    expiresAt: Date.now() + 600_000,
  })
  expect(Object.fromEntries(asked)).toEqual({ client_id: 'c', ...request })
  const { forms } = await poll([token])
  expect(Object.fromEntries(forms[0]!)).toEqual({
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: 'dc',
    client_id: 'c',
    resource: 'https://h.example/mcp',
  })
})
