import { z } from 'zod'
import { ownerState } from '../owner-stub.ts'
import { safeName } from '../text.ts'
import { answer, defineTool } from './tool.ts'

/** Transactional state: a counter in the owner's Durable Object. */
export const increment = defineTool({
  name: 'increment',
  title: 'Increment a counter',
  description:
    'Adds to one of your counters and returns its new value. Read it at counter://{name}.',
  input: z.strictObject({
    counter: safeName().default('default').describe('Name of the counter'),
    by: z.int().min(-1_000_000).max(1_000_000).default(1),
  }),
  output: z.object({ counter: z.string(), value: z.int() }),
  annotations: { destructiveHint: false, openWorldHint: false },
  async run({ counter, by }, { env, caller }) {
    const value = await ownerState(env, caller.owner).increment(counter, by)
    return answer({ counter, value })
  },
})
