import { describe, expect, test } from 'vitest'
import { RelayError } from '../../src/errors.ts'
import type { HttpRequest, HttpResponse } from '../../src/http/client.ts'
import { withRedirects } from '../../src/http/with-redirects.ts'

const body = [Buffer.from('{"id":1,'), Buffer.from('"method":"ping"}')]

/** A client whose server redirects as the table says, and what it was sent. */
function client(redirects: Readonly<Record<string, [number, string | undefined]>>) {
  const seen: HttpRequest[] = []
  const send = withRedirects((request) => {
    seen.push(request)
    const [status, location] = redirects[request.url.href] ?? [200, undefined]
    const response: HttpResponse = {
      status,
      headers: location === undefined ? {} : { location },
      url: request.url,
      consume: () => Promise.resolve(),
      discard: () => {},
    }
    return Promise.resolve(response)
  })
  return {
    seen,
    urls: () => seen.map(({ url }) => url.href),
    post: (url: string) =>
      send({
        method: 'POST',
        url: new URL(url),
        headers: { authorization: 'Bearer secret' },
        body,
      }),
  }
}

const MCP = 'https://mcp.example/mcp'

describe('a redirect is followed, with method, headers and body,', () => {
  test.each<[string, number, string, string, string]>([
    ['to another path', 308, MCP, '/mcp/', 'https://mcp.example/mcp/'],
    ['to a relative path', 307, MCP, 'v2?x=1', 'https://mcp.example/v2?x=1'],
    ['of the kind that browsers turn into GET', 301, MCP, '/a', 'https://mcp.example/a'],
    ['also 302', 302, MCP, '/a', 'https://mcp.example/a'],
    ['also 303', 303, MCP, '/a', 'https://mcp.example/a'],
    ['to the default port by name', 308, MCP, 'https://mcp.example:443/a', 'https://mcp.example/a'],
    ['without its fragment', 308, MCP, '/a#b', 'https://mcp.example/a'],
    ['from http to https of the host', 308, 'http://mcp.example/mcp', MCP, MCP],
    [
      'from http to https on other ports of the host',
      308,
      'http://mcp.example:8080/mcp',
      'https://mcp.example:8443/mcp',
      'https://mcp.example:8443/mcp',
    ],
  ])('%s', async (_, status, from, location, target) => {
    const { post, seen, urls } = client({ [from]: [status, location] })
    expect((await post(from)).status).toBe(200)
    expect(urls()).toEqual([from, target])
    expect(seen[1]).toEqual({ ...seen[0], url: new URL(target) })
    expect(seen[1]!.body).toBe(body)
  })
})

describe('nothing is sent, and both origins are named,', () => {
  test.each<[string, string, string]>([
    ['to another host', MCP, 'https://other.example/mcp'],
    ['to a subdomain', MCP, 'https://a.mcp.example/mcp'],
    ['to another port', MCP, 'https://mcp.example:8443/mcp'],
    ['to a host without scheme', MCP, '//other.example/mcp'],
    ['from https to http', MCP, 'http://mcp.example/mcp'],
    ['from http to https of another host', 'http://mcp.example/mcp', 'https://other.example/'],
    ['from http to another port', 'http://mcp.example/mcp', 'http://mcp.example:81/mcp'],
  ])('%s', async (_, from, location) => {
    const { post, urls } = client({ [from]: [307, location] })
    const error = (await post(from).catch((reason: unknown) => reason)) as RelayError
    expect(error).toBeInstanceOf(RelayError)
    expect(error.message).toBe(
      `${new URL(from).origin} redirects to ${new URL(location, from).origin}; nothing was sent there.`,
    )
    expect(error.details).toMatchObject({ phase: 'response', httpStatus: 307 })
    expect(error.details.hint).toContain(new URL(location, from).origin)
    expect(urls()).toEqual([from])
  })
})

test('a second hop is judged by the origin that sends it', async () => {
  const { post, urls } = client({
    [MCP]: [307, '/a'],
    'https://mcp.example/a': [307, 'https://other.example/'],
  })
  await expect(post(MCP)).rejects.toThrow('https://mcp.example redirects to https://other.example')
  expect(urls()).toEqual([MCP, 'https://mcp.example/a'])
})

test('a loop ends', async () => {
  const { post, urls } = client({ [MCP]: [307, '/mcp'] })
  await expect(post(MCP)).rejects.toThrow('https://mcp.example redirects in a loop.')
  expect(urls()).toHaveLength(4)
})

test.each([
  ['no target', undefined],
  ['a target that is no URL', 'http://'],
])('%s is an error', async (_, location) => {
  const { post } = client({ [MCP]: [307, location] })
  await expect(post(MCP)).rejects.toThrow('https://mcp.example redirects without saying where to.')
})

test.each([
  [308, ['https://mcp.example/a']],
  [301, ['https://mcp.example/a']],
  [307, [MCP, 'https://mcp.example/a']],
  [302, [MCP, 'https://mcp.example/a']],
])('after %i the next request goes to %j', async (status, expected) => {
  const { post, urls } = client({ [MCP]: [status, '/a'] })
  await post(MCP)
  const before = urls().length
  await post(MCP)
  expect(urls().slice(before)).toEqual(expected)
})

test('other answers are handed on', async () => {
  const { post } = client({ [MCP]: [304, '/a'] })
  expect((await post(MCP)).status).toBe(304)
})
