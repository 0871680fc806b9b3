import { acceptedContent, inputRequired, inputResponse } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { answer, defineTool } from './tool.ts'

const Reply = z.object({ confirmed: z.boolean().describe('Yes, go on') })

/** Asks the person; written once for both eras, the SDK turns it into a request where needed. */
export const confirm = defineTool({
  name: 'confirm',
  title: 'Ask for confirmation',
  description: 'Puts a yes-or-no question to the person and returns the answer.',
  input: z.strictObject({ question: z.string().min(1).max(500).default('Shall I go on?') }),
  output: z.object({ outcome: z.enum(['confirmed', 'refused', 'declined', 'cancelled']) }),
  annotations: { readOnlyHint: true, openWorldHint: true },
  run({ question }, { ctx }) {
    const reply = inputResponse(ctx.mcpReq.inputResponses, 'reply')
    if (reply.kind === 'elicit' && reply.action === 'decline')
      return answer({ outcome: 'declined' })
    if (reply.kind === 'elicit' && reply.action === 'cancel')
      return answer({ outcome: 'cancelled' })
    const content = acceptedContent(ctx.mcpReq.inputResponses, 'reply', Reply)
    // No answer yet, or one that does not fit the form: ask.
    if (content === undefined) {
      const ask = inputRequired.elicit({ message: question, requestedSchema: Reply })
      return inputRequired({ inputRequests: { reply: ask } })
    }
    return answer({ outcome: content.confirmed ? 'confirmed' : 'refused' })
  },
})
