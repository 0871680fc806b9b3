import { z } from 'zod'
import { pause } from '../pause.ts'
import { answer, defineTool } from './tool.ts'

/** Does nothing for a while, and stops at once when the caller cancels. */
export const sleep = defineTool({
  name: 'sleep',
  title: 'Sleep',
  description: 'Answers after some time. Cancel the call to see it end early.',
  input: z.strictObject({ ms: z.int().min(0).max(600_000) }),
  output: z.object({ slept_ms: z.int() }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run({ ms }, { ctx }) {
    await pause(ms, ctx.mcpReq.signal)
    return answer({ slept_ms: ms })
  },
})
