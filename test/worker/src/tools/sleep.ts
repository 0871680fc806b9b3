import { z } from 'zod'
import { pause } from '../pause.ts'
import { answer, defineTool } from './tool.ts'

/**
 * Between two signs of life. A local workerd learns that a client has left only when it writes, so
 * without them nothing would tell a sleeping call of the modern era that it was cancelled.
 */
const SIGN_OF_LIFE_MS = 250

/** Does nothing for a while, and stops at once when the caller cancels. */
export const sleep = defineTool({
  name: 'sleep',
  title: 'Sleep',
  description: 'Answers after some time. Cancel the call to see it end early.',
  input: z.strictObject({ ms: z.int().min(0).max(600_000) }),
  output: z.object({ slept_ms: z.int() }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run({ ms }, { ctx: { mcpReq } }) {
    const progressToken = mcpReq._meta?.progressToken
    for (let slept = 0; slept < ms; slept += SIGN_OF_LIFE_MS) {
      await pause(Math.min(SIGN_OF_LIFE_MS, ms - slept), mcpReq.signal)
      if (progressToken === undefined || slept + SIGN_OF_LIFE_MS >= ms) continue
      const params = { progressToken, progress: slept + SIGN_OF_LIFE_MS, total: ms }
      await mcpReq.notify({ method: 'notifications/progress', params })
    }
    return answer({ slept_ms: ms })
  },
})
