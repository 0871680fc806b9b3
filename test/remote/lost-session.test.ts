import { expect, test } from 'vitest'
import { isSessionLost } from '../../src/remote/lost-session.ts'

const rpc = (code: number, message: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })

test.each([
  [404, '', true],
  [404, 'Not Found', true],
  [404, '<html>', true],
  [404, rpc(-32001, 'Session not found'), true],
  [404, rpc(-32601, 'Method not found'), false],
  [400, rpc(-32000, 'Bad Request: No valid session ID provided'), true],
  [400, rpc(-32000, 'Bad Request: no valid session ID provided (send initialize first)'), true],
  [400, rpc(-32000, 'Bad Request: Server not initialized'), true],
  [400, rpc(-32600, 'Session not found'), true],
  [400, 'Bad Request: No valid session ID provided', true],
  [400, 'Invalid session ID\n', true],
  [400, '{"error":"Invalid session ID"}', true],
  [400, '{"message":"session not found"}', true],
  [400, '"session not found"', true],
  [400, rpc(-32000, 'Bad Request: Unsupported protocol version'), false],
  [400, rpc(-32602, 'the tool says: session not found'), false],
  [400, '', false],
  [400, '{}', false],
  [400, '[]', false],
  [401, 'session not found', false],
  [500, 'session not found', false],
])('%i %s: %s', (status, body, lost) => {
  expect(isSessionLost(status, Buffer.from(body))).toBe(lost)
})
