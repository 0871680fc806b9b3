import { initializeResult, json, type Seen, type TestServer } from '../support/http-server.ts'
import { type Behaviour, type Handler, result, startMcpServer } from '../support/mcp-server.ts'

/** What the documents call by name: the server at example.com keeps notes. */
const TOOLS = [
  {
    name: 'add_note',
    description: 'Keeps a note.',
    inputSchema: {
      type: 'object',
      properties: { text: { type: 'string' }, priority: { type: 'number' } },
      required: ['text'],
    },
  },
  {
    name: 'list_notes',
    description: 'Tells the notes.',
    inputSchema: { type: 'object' },
    annotations: { readOnlyHint: true },
  },
]

const answer =
  (value: (request: Seen) => object): Handler =>
  (request, response) =>
    json(response, result(request, value(request)))

const NOTES: Behaviour = {
  initialize(request, response) {
    const { id, params } = request.message ?? {}
    const message = initializeResult(id, String(params?.['protocolVersion'])) as {
      result: { capabilities: object }
    }
    message.result.capabilities = { tools: {}, resources: {}, prompts: {} }
    json(response, message)
  },
  'tools/list': answer(() => ({ tools: TOOLS })),
  'tools/call': answer(({ message }) => {
    const { text } = (message?.params?.['arguments'] ?? {}) as { text?: unknown }
    const said = text === undefined ? 'note://7 Buy milk' : `Kept as note://7: ${String(text)}`
    return { content: [{ type: 'text', text: said }] }
  }),
  'resources/list': answer(() => ({ resources: [{ uri: 'note://7', name: 'The seventh' }] })),
  'resources/read': answer(() => ({ contents: [{ uri: 'note://7', text: 'Buy milk' }] })),
  'prompts/list': answer(() => ({ prompts: [{ name: 'summary' }] })),
}

/** The server of the documents, with what a test wants otherwise. */
export function startNotesServer(behaviour: Behaviour = {}): Promise<TestServer> {
  return startMcpServer({ ...NOTES, ...behaviour })
}
