import { z } from 'zod'
import { defineTool } from './tool.ts'

/** Fails in a way that nobody foresaw; the caller learns that it failed and nothing more. */
export const crash = defineTool({
  name: 'crash',
  title: 'Crash',
  description: 'Throws inside the server, to show that internal errors are logged and masked.',
  input: z.strictObject({}),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run() {
    throw new Error('this message must stay in the log')
  },
})
