import { z } from 'zod'
import { defineTool } from './tool.ts'

const MAX_BYTES = 8 * 1024 * 1024

/** A result of a given size, for tests of limits and of back-pressure. */
export const big = defineTool({
  name: 'big',
  title: 'Big result',
  description: 'Returns a text of exactly the given number of bytes.',
  input: z.strictObject({ bytes: z.int().min(0).max(MAX_BYTES) }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  run: ({ bytes }) => ({ content: [{ type: 'text', text: 'x'.repeat(bytes) }] }),
})
