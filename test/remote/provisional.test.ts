import { expect, test } from 'vitest'
import { readFrame } from '../../src/frame.ts'
import {
  calledTool,
  provisionalInitializeResult,
  provisionalList,
  signInResult,
} from '../../src/remote/provisional.ts'

const HOST = 'mcp.example'
const LINK = 'https://as.example/authorize?x=1'

const frame = (message: object) => readFrame(JSON.stringify({ jsonrpc: '2.0', ...message }))!

test.each([
  { asked: '2025-06-18', spoken: '2025-06-18' },
  { asked: '2099-01-01', spoken: '2025-11-25' },
  { asked: undefined, spoken: '2025-11-25' },
])('a host that asks for $asked is spoken to in $spoken', ({ asked, spoken }) => {
  const params = asked === undefined ? undefined : { protocolVersion: asked }
  const request = frame({ id: 1, method: 'initialize', ...(params && { params }) })
  const result = provisionalInitializeResult(request, HOST, LINK)
  expect(JSON.parse(result.toString())).toMatchObject({
    protocolVersion: spoken,
    capabilities: { tools: { listChanged: true } },
    instructions: expect.stringContaining(LINK) as string,
  })
})

test.each([
  ['tools/list', { tools: [{ name: 'sign_in' }] }],
  ['prompts/list', { prompts: [] }],
  ['resources/list', { resources: [] }],
  ['resources/templates/list', { resourceTemplates: [] }],
])('%s is answered with what there is before the server', (method, result) => {
  expect(JSON.parse(provisionalList(method, HOST)!.toString())).toMatchObject(result)
})

test('no other method is answered in the place of the server', () => {
  expect(provisionalList('tools/call', HOST)).toBeUndefined()
})

test.each([
  { link: LINK, failure: undefined, says: /^To use mcp\.example, open .* and sign in: https:/ },
  { link: LINK, failure: 'Declined.', says: /did not work: Declined\. To use mcp\.example/ },
  { link: undefined, failure: 'Declined.', says: /did not work: Declined\. $/ },
  { link: undefined, failure: undefined, says: /does not wait for a sign-in any more/ },
])('the sign-in tool with link $link and failure $failure', ({ link, failure, says }) => {
  const result = JSON.parse(signInResult(HOST, link, failure).toString()) as {
    content: [{ text: string }]
    isError: boolean
  }
  expect(result.content[0].text).toMatch(says)
  expect(result.isError).toBe(failure !== undefined)
})

test.each([
  [{ id: 1, method: 'tools/call', params: { name: 'sign_in' } }, 'sign_in'],
  [{ id: 1, method: 'tools/call' }, undefined],
  [{ id: 1, method: 'prompts/get', params: { name: 'sign_in' } }, undefined],
])('%j calls the tool %s', (message, name) => {
  expect(calledTool(frame(message))).toBe(name)
})
