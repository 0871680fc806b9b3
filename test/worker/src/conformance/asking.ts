import {
  inputRequired,
  inputResponse,
  type ElicitRequestFormParams,
  type McpServer,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { said } from './samples.ts'

type Form = ElicitRequestFormParams['requestedSchema']

const ONE_TWO_THREE = ['option1', 'option2', 'option3']

const titled = (word: string) => [
  { const: 'value1', title: `First ${word}` },
  { const: 'value2', title: `Second ${word}` },
  { const: 'value3', title: `Third ${word}` },
]

const user: Form = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
}

const defaults: Form = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
}

const enums: Form = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ONE_TWO_THREE },
    titledSingle: { type: 'string', oneOf: titled('Option') },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ONE_TWO_THREE } },
    titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
  },
}

/** Tools that ask the client for something, through requests in one era and results in the other. */
export function registerAskingTools(server: McpServer): void {
  const ask = (name: string, message: string, form: Form) =>
    server.registerTool(name, { description: 'Asks the person to fill in a form.' }, (ctx) =>
      elicit(ctx.mcpReq.inputResponses, message, form),
    )
  ask('test_elicitation_sep1034_defaults', 'Please check the defaults', defaults)
  ask('test_elicitation_sep1330_enums', 'Please choose', enums)
  ask('test_streaming_elicitation', 'Please tell who you are', user)
  server.registerTool(
    'test_elicitation',
    {
      description: 'Asks the person to fill in a form.',
      inputSchema: z.object({ message: z.string().describe('The message to show') }),
    },
    ({ message }, ctx) => elicit(ctx.mcpReq.inputResponses, message, user),
  )
  server.registerTool(
    'test_sampling',
    {
      description: 'Asks the client’s model.',
      inputSchema: z.object({ prompt: z.string().describe('What to ask') }),
    },
    ({ prompt }, ctx) => sample(ctx.mcpReq.inputResponses, prompt),
  )
  server.registerTool(
    'test_missing_capability',
    { description: 'Needs the sampling capability, whether the client has declared it or not.' },
    (ctx) => sample(ctx.mcpReq.inputResponses, 'Are you there?'),
  )
}

function elicit(responses: Record<string, unknown> | undefined, message: string, form: Form) {
  const reply = inputResponse(responses, 'reply')
  if (reply.kind !== 'elicit') {
    const request = inputRequired.elicit({ message, requestedSchema: form })
    return inputRequired({ inputRequests: { reply: request } })
  }
  const content = JSON.stringify(reply.content ?? {})
  return said(`Elicitation completed: action=${reply.action}, content=${content}`)
}

function sample(responses: Record<string, unknown> | undefined, text: string) {
  const reply = inputResponse(responses, 'reply')
  if (reply.kind === 'sampling')
    return said(`LLM response: ${JSON.stringify(reply.result.content)}`)
  const request = inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens: 100,
  })
  return inputRequired({ inputRequests: { reply: request } })
}
