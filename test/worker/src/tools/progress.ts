import { z } from 'zod'
import { pause } from '../pause.ts'
import { answer, defineTool } from './tool.ts'

/** Reports progress while it works. */
export const progress = defineTool({
  name: 'progress',
  title: 'Count with progress',
  description: 'Counts to a number and reports each step, if the caller sent a progress token.',
  input: z.strictObject({
    steps: z.int().min(1).max(1000).default(5),
    delay_ms: z.int().min(0).max(10_000).default(20).describe('Pause before each step'),
  }),
  output: z.object({ steps: z.int() }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run({ steps, delay_ms }, { ctx }) {
    const progressToken = ctx.mcpReq._meta?.progressToken
    for (let step = 1; step <= steps; step += 1) {
      await pause(delay_ms, ctx.mcpReq.signal)
      if (progressToken === undefined) continue
      const params = { progressToken, progress: step, total: steps, message: `Step ${step}` }
      await ctx.mcpReq.notify({ method: 'notifications/progress', params })
    }
    return answer({ steps })
  },
})
