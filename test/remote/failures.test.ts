import { describe, expect, test } from 'vitest'
import { RelayError, ServerError } from '../../src/errors.ts'
import type { HttpResponse } from '../../src/http/client.ts'
import { httpFailure } from '../../src/remote/failures.ts'

const JSON_TYPE = 'application/json; charset=utf-8'

/** The failure of a response with this status, type, body and further headers. */
async function failure(
  status: number,
  type: string | undefined,
  body: string,
  more: Partial<Pick<HttpResponse, 'headers' | 'hint'>> = {},
): Promise<RelayError | ServerError> {
  const { headers = {}, ...rest } = more
  return httpFailure({
    status,
    headers: { ...(type === undefined ? {} : { 'content-type': type }), ...headers },
    url: new URL('https://mcp.example/mcp?key=secret'),
    consume(onChunk) {
      void onChunk(Buffer.from(body))
      return Promise.resolve()
    },
    discard: () => {},
    ...rest,
  })
}

describe("the server's own JSON-RPC error", () => {
  test.each([
    ['with our id', '{"jsonrpc":"2.0","id":1,"error":ERROR}'],
    ['with the id null', '{"jsonrpc":"2.0","id":null,"error":ERROR}'],
    ['without an id', '{"jsonrpc":"2.0","error":ERROR}'],
    ['with an id that is none', '{"id":{},"error":ERROR}'],
    ['as a page of HTML, says the header', '{"error":ERROR}'],
  ])('is taken byte by byte, %s', async (_, body) => {
    const error = '{"message":"\\u004e\\u006f","code":-32000.0,"data":{"a":1e400,"a":2}}'
    const found = await failure(400, 'text/html', body.replace('ERROR', error))
    expect(found).toBeInstanceOf(ServerError)
    expect((found as ServerError).object.toString()).toBe(error)
    expect((found as ServerError).httpStatus).toBe(400)
  })

  test.each([
    '{"error":"invalid_token"}',
    '{"error":{"message":"no code"}}',
    '{"error":{"code":"E1","message":"a code that is no number"}}',
    '{"error":null}',
    '[{"error":{"code":1,"message":"a batch"}}]',
    '{"error":{"code":1,"message":"cut"',
  ])('is not %s', async (body) => {
    expect(await failure(400, JSON_TYPE, body)).toBeInstanceOf(RelayError)
  })
})

describe('our message', () => {
  const said = 'https://mcp.example answered 500 Internal Server Error'
  test.each<[string, string | undefined, string, string]>([
    ['names status and title', undefined, '', `${said}.`],
    ['quotes plain text', 'text/plain', ' try later\n', `${said}: try later`],
    ['quotes a message', JSON_TYPE, '{"message":"no such user"}', `${said}: no such user`],
    ['quotes an error', JSON_TYPE, '{"error":"overloaded"}', `${said}: overloaded`],
    ['quotes the message of an error', JSON_TYPE, '{"error":{"message":"x"}}', `${said}: x`],
    [
      'prefers a description',
      JSON_TYPE,
      '{"error":"invalid_token","error_description":"It expired."}',
      `${said}: It expired.`,
    ],
    ['quotes no HTML', 'text/html', '<html><body>oops</body></html>', `${said}.`],
    ['quotes no HTML that calls itself text', 'text/plain', 'a <b>page</b>', `${said}.`],
    ['quotes no HTML inside JSON', JSON_TYPE, '{"message":"<h1>x</h1>"}', `${said}.`],
    ['quotes nothing without type', undefined, 'raw text', `${said}.`],
    ['quotes no object', JSON_TYPE, '{"message":{"a":1}}', `${said}.`],
    ['quotes nothing from broken JSON', JSON_TYPE, '{"message":"x"', `${said}.`],
    [
      'is one line without control characters',
      'text/plain',
      'a\r\n\u001b[31mb',
      `${said}: a [31mb`,
    ],
  ])('%s', async (_, type, body, message) => {
    expect((await failure(500, type, body)).message).toBe(message)
  })

  test('is short, whatever the server says', async () => {
    const { message } = await failure(500, 'text/plain', 'é'.repeat(100_000))
    expect(message.length).toBeLessThan(500)
    expect(message).toMatch(/é…$/)
  })

  test('has 500 characters at most', () => {
    expect(new RelayError('x'.repeat(1000), { phase: 'response' }).message).toHaveLength(500)
  })

  test('knows no title for a status that has none', async () => {
    expect((await failure(599, undefined, '')).message).toBe('https://mcp.example answered 599.')
  })
})

describe('what accompanies it', () => {
  const soon = new Date(Date.now() + 60_000).toUTCString()
  test.each<[string, number, number]>([
    ['120', 120_000, 120_000],
    ['0', 0, 0],
    [soon, 50_000, 60_000],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 0, 0],
  ])('Retry-After: %s', async (value, least, most) => {
    const found = (await failure(503, undefined, '', {
      headers: { 'retry-after': value },
    })) as RelayError
    expect(found.details.retryAfterMs).toBeGreaterThanOrEqual(least)
    expect(found.details.retryAfterMs).toBeLessThanOrEqual(most)
  })

  test('no Retry-After when it says nothing', async () => {
    const found = (await failure(503, undefined, '', {
      headers: { 'retry-after': 'soon' },
    })) as RelayError
    expect(found.details.retryAfterMs).toBeUndefined()
  })

  test.each([
    [401, 'authorization'],
    [403, 'authorization'],
    [404, 'response'],
    [500, 'response'],
  ])('status %i is of the phase %s', async (status, phase) => {
    const found = (await failure(status, undefined, '')) as RelayError
    expect(found.details).toMatchObject({ httpStatus: status, phase })
  })

  test('a hint: that of the refusal, else that of the status', async () => {
    const hintOf = async (status: number, hint?: string): Promise<string | undefined> =>
      ((await failure(status, undefined, '', { ...(hint && { hint }) })) as RelayError).details.hint
    expect(await hintOf(401, 'Sign in.')).toBe('Sign in.')
    expect(await hintOf(404)).toBe('Check the path of the server URL.')
    expect(await hintOf(404, 'Ask.')).toBe('Ask.')
    expect(await hintOf(500)).toBeUndefined()
  })
})
