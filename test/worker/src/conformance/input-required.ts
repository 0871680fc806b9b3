import {
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  type InputRequest,
  type McpServer,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { said } from './samples.ts'

interface Progress {
  readonly step: number
  readonly name?: string
}

/**
 * Seals the state of a multi-round call. The key is no secret, for the state of these fixtures
 * protects nothing; a tool of yours needs a key from `wrangler secret put`.
 */
export const fixtureState = createRequestStateCodec<Progress>({
  key: 'conformance fixtures hold nothing worth forging',
})

const Name = z.object({ name: z.string() })
const Color = z.object({ color: z.string() })
const Ok = z.object({ ok: z.boolean() })
const Context = z.object({ context: z.string() })

const askName = (message = 'What is your name?') =>
  inputRequired.elicit({ message, requestedSchema: Name })
const askModel = (text: string, maxTokens: number) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens,
  })

/** The named tools of SEP-2322: results that ask for input before the call can end. */
export function registerInputRequiredFixtures(server: McpServer): void {
  const prefix = 'test_input_required_result_'
  const description = 'Asks for input before it can end.'
  const ask = (key: string, request: InputRequest) =>
    inputRequired({ inputRequests: { [key]: request } })

  server.registerTool(`${prefix}elicitation`, { description }, ({ mcpReq }) => {
    const reply = acceptedContent(mcpReq.inputResponses, 'user_name', Name)
    return reply === undefined ? ask('user_name', askName()) : said(`Hello, ${reply.name}!`)
  })

  server.registerTool(`${prefix}sampling`, { description }, ({ mcpReq }) => {
    const reply = inputResponse(mcpReq.inputResponses, 'capital_question')
    if (reply.kind === 'sampling') return said(JSON.stringify(reply.result.content))
    return ask('capital_question', askModel('What is the capital of France?', 100))
  })

  server.registerTool(`${prefix}list_roots`, { description }, ({ mcpReq }) => {
    const reply = inputResponse(mcpReq.inputResponses, 'client_roots')
    if (reply.kind === 'roots') return said(reply.roots.map(({ uri }) => uri).join(' '))
    return ask('client_roots', inputRequired.listRoots())
  })

  for (const name of ['request_state', 'tampered_state']) {
    server.registerTool(`${prefix}${name}`, { description }, async ({ mcpReq }) => {
      const reply = acceptedContent(mcpReq.inputResponses, 'confirm', Ok)
      const state = mcpReq.requestState<Progress>()
      if (reply !== undefined && state?.step === 1) return said('state-ok')
      const confirm = inputRequired.elicit({ message: 'Please confirm', requestedSchema: Ok })
      const requestState = await fixtureState.mint({ step: 1 })
      return inputRequired({ inputRequests: { confirm }, requestState })
    })
  }

  server.registerTool(`${prefix}multiple_inputs`, { description }, async ({ mcpReq }) => {
    const name = acceptedContent(mcpReq.inputResponses, 'user_name', Name)
    const greeting = inputResponse(mcpReq.inputResponses, 'greeting')
    const roots = inputResponse(mcpReq.inputResponses, 'client_roots')
    if (name !== undefined && greeting.kind === 'sampling' && roots.kind === 'roots') {
      return said(`Hello, ${name.name}! You have ${roots.roots.length} roots.`)
    }
    return inputRequired({
      inputRequests: {
        user_name: askName(),
        greeting: askModel('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await fixtureState.mint({ step: 1 }),
    })
  })

  server.registerTool(`${prefix}multi_round`, { description }, async ({ mcpReq }) => {
    const { step = 0, name } = mcpReq.requestState<Progress>() ?? {}
    const first = acceptedContent(mcpReq.inputResponses, 'step1', Name)
    const second = acceptedContent(mcpReq.inputResponses, 'step2', Color)
    if (step === 2 && second !== undefined) return said(`${name} likes ${second.color}.`)
    if (step >= 1 && (first !== undefined || name !== undefined)) {
      const message = 'Step 2: What is your favorite color?'
      return inputRequired({
        inputRequests: { step2: inputRequired.elicit({ message, requestedSchema: Color }) },
        requestState: await fixtureState.mint({ step: 2, name: first?.name ?? name ?? '' }),
      })
    }
    return inputRequired({
      inputRequests: { step1: askName('Step 1: What is your name?') },
      requestState: await fixtureState.mint({ step: 1 }),
    })
  })

  server.registerTool(`${prefix}capabilities`, { description }, ({ mcpReq }) => {
    const declared = server.server.getClientCapabilities() ?? {}
    const reply = inputResponse(mcpReq.inputResponses, 'reply')
    if (reply.kind !== 'missing') return said(`Answered by ${reply.kind}.`)
    // Asks only for what this very client has said it can do.
    if (declared.sampling !== undefined) return ask('reply', askModel('Say hello', 20))
    if (declared.elicitation !== undefined) return ask('reply', askName())
    return said('You can be asked nothing.')
  })

  server.registerPrompt(`${prefix}prompt`, { description }, ({ mcpReq }) => {
    const reply = acceptedContent(mcpReq.inputResponses, 'user_context', Context)
    if (reply === undefined) {
      const message = 'What context should the prompt use?'
      return ask('user_context', inputRequired.elicit({ message, requestedSchema: Context }))
    }
    const text = `Use this context: ${reply.context}`
    return { messages: [{ role: 'user', content: { type: 'text', text } }] }
  })
}
