import { z } from 'zod'
import { answer, defineTool } from './tool.ts'

const LEVELS = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const

/** Sends log messages to the client. */
export const log = defineTool({
  name: 'log',
  title: 'Send log messages',
  description: 'Sends one log message at each level; the client gets those it asked for.',
  input: z.strictObject({ text: z.string().max(1000).default('hello') }),
  output: z.object({ offered: z.array(z.enum(LEVELS)) }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run({ text }, { ctx }) {
    for (const level of LEVELS) await ctx.mcpReq.log(level, text, 'bridge-worker')
    return answer({ offered: [...LEVELS] })
  },
})
