import { secrets, type SecretKind } from '../secrets.ts'
import type { AuthFetch, AuthHttp } from './fetch.ts'

/** Parameters of requests and members of answers that are secrets (RFC 6749, 7521, 7591, 7636, 8628). */
const SECRETS: Readonly<Record<string, SecretKind>> = {
  access_token: 'token',
  assertion: 'token',
  client_assertion: 'token',
  client_secret: 'secret',
  code: 'code',
  code_verifier: 'verifier',
  device_code: 'code',
  id_token: 'token',
  refresh_token: 'token',
  registration_access_token: 'token',
  user_code: 'code',
}

/**
 * The client of authorization servers, which remembers the secrets that go through it: all of them come
 * or go this way. `tap` records the exchanges.
 */
export function learning(http: AuthHttp, tap?: (next: AuthFetch) => AuthFetch): AuthHttp {
  const fetch: AuthFetch = async (url, init) => {
    learnRequest(init)
    const response = await http.fetch(url, init)
    if (init?.method === 'POST') learnMembers(await response.clone().text())
    return response
  }
  return { ...http, fetch: tap?.(fetch) ?? fetch }
}

function learnRequest(init: RequestInit | undefined): void {
  const authorization = new Headers(init?.headers).get('authorization')
  secrets.learn('secret', authorization?.split(' ', 2)[1])
  if (init?.body === undefined || init.body === null) return
  for (const [name, value] of new URLSearchParams(String(init.body))) {
    const kind = SECRETS[name]
    if (kind !== undefined) secrets.learn(kind, value)
  }
}

/** What is no JSON object holds no token that we would use. */
function learnMembers(content: string): void {
  let answer: unknown
  try {
    answer = JSON.parse(content)
  } catch {
    return
  }
  if (typeof answer !== 'object' || answer === null) return
  for (const [name, value] of Object.entries(answer)) {
    const kind = SECRETS[name]
    if (kind !== undefined && typeof value === 'string') secrets.learn(kind, value)
  }
}
