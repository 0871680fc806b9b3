import { describe, expect, test } from 'vitest'
import type { AuthOptions } from '../../src/auth/options.ts'
import { whatToAsk } from '../../src/auth/request.ts'
import { canonicalResource, coversServer } from '../../src/auth/resource.ts'
import { covers, joinScopes } from '../../src/auth/scopes.ts'
import type { ServerRecord, StoredTokens } from '../../src/store/record.ts'
import { authContext, authOptions, serverMetadata } from './context.ts'

describe('A-55: the canonical resource of a server without metadata', () => {
  test.each([
    ['https://MCP.Example.com/', 'https://mcp.example.com'],
    ['https://mcp.example.com:443/mcp', 'https://mcp.example.com/mcp'],
    ['https://mcp.example.com:8443/mcp/', 'https://mcp.example.com:8443/mcp/'],
    ['https://mcp.example.com/mcp#x', 'https://mcp.example.com/mcp'],
    ['https://mcp.example.com/mcp?tenant=1', 'https://mcp.example.com/mcp?tenant=1'],
  ])('%s', (url, expected) => {
    expect(canonicalResource(new URL(url))).toBe(expected)
  })
})

test('A-14: a resource covers its own path and what lies below it', () => {
  const server = new URL('https://h.example/a/b')
  for (const resource of ['https://h.example', 'https://h.example/a', 'https://h.example/a/b/']) {
    expect(coversServer(resource, server)).toBe(true)
  }
  for (const resource of [
    'https://h.example/a/bc',
    'https://h.example/a/b/c',
    'https://h.example.evil/a',
  ]) {
    expect(coversServer(resource, server)).toBe(false)
  }
})

interface Case {
  readonly options?: Partial<AuthOptions>
  readonly published?: string[]
  readonly resource?: string
  readonly offered?: string[]
  readonly challenged?: string
  readonly before?: Partial<StoredTokens>
  readonly refusesResource?: boolean
}

function asked({
  options,
  published,
  resource,
  offered,
  challenged,
  before,
  refusesResource,
}: Case) {
  const context = authContext(() => Promise.reject(new Error('no request')), {
    options: authOptions(options),
  })
  const metadata = serverMetadata(offered === undefined ? {} : { scopes_supported: offered })
  const { issuer } = metadata
  const tokens: StoredTokens | undefined = before && {
    accessToken: 'a',
    obtainedAt: 0,
    clientId: 'c',
    grant: 'authorization_code',
    ...before,
  }
  const record: ServerRecord = {
    layout: 1,
    server: 'x',
    profile: 'default',
    current: issuer,
    issuers: { [issuer]: { metadata, tokens, refusesResource } },
  }
  const document =
    published === undefined && resource === undefined
      ? undefined
      : {
          resource: resource ?? 'https://h.example',
          authorization_servers: [issuer],
          scopes_supported: published,
        }
  const discovery = { issuer, metadata, published: true, resource: document }
  return whatToAsk(context, discovery, record, challenged, before !== undefined)
}

describe('A-90, A-81, A-93: the scopes to ask for', () => {
  test.each<[string, Case, string | undefined]>([
    ['the challenge before the metadata', { challenged: 'c', published: ['p'] }, 'c'],
    ['all of the metadata', { published: ['p', 'q'] }, 'p q'],
    ['none at all', {}, undefined],
    ['an empty list is none', { published: [] }, undefined],
    ['not what the authorization server offers', { offered: ['admin'] }, undefined],
    ['the user’s own', { options: { scope: 'mine' }, challenged: 'c' }, 'mine'],
    [
      'offline_access where offered',
      { challenged: 'c', offered: ['offline_access'] },
      'c offline_access',
    ],
    ['once', { challenged: 'offline_access', offered: ['offline_access'] }, 'offline_access'],
    ['not alone', { offered: ['offline_access'] }, undefined],
    ['not against the user', { options: { scope: 'mine' }, offered: ['offline_access'] }, 'mine'],
    [
      'the union at a step-up',
      { challenged: 'w r', before: { requested: 'r x', scope: 'r' } },
      'r x w',
    ],
    [
      'and the user’s own then',
      { options: { scope: 'm' }, challenged: 'w', before: { scope: 'r' } },
      'r m w',
    ],
  ])('%s', (_, given, expected) => {
    expect(asked(given).scope).toBe(expected)
  })
})

describe('A-55: the resource to ask for', () => {
  test.each<[string, Case, string | undefined]>([
    ['as published, to the letter', { resource: 'https://H.example' }, 'https://H.example'],
    ['the server itself', {}, 'https://h.example/mcp'],
    ['the user’s own', { options: { resource: 'urn:x' }, resource: 'https://h.example' }, 'urn:x'],
    ['none on request', { options: { resource: false } }, undefined],
    ['none where it is refused', { refusesResource: true }, undefined],
    [
      'the user’s own also there',
      { options: { resource: 'urn:x' }, refusesResource: true },
      'urn:x',
    ],
  ])('%s', (_, given, expected) => {
    expect(asked(given).resource).toBe(expected)
  })
})

test('scopes are sets', () => {
  expect(joinScopes('a b', undefined, ' b  c ')).toBe('a b c')
  expect(joinScopes('', undefined)).toBeUndefined()
  expect(covers('a b', 'b')).toBe(true)
  expect(covers(undefined, 'a')).toBe(false)
  expect(covers(undefined, undefined)).toBe(true)
})
