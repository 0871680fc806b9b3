import { z } from 'zod'
import { answer, defineTool, refuse } from './tool.ts'

const operations = {
  add: (a: number, b: number) => a + b,
  subtract: (a: number, b: number) => a - b,
  multiply: (a: number, b: number) => a * b,
  divide: (a: number, b: number) => a / b,
} as const

/** Basic arithmetic; the seed's first tool. */
export const calculator = defineTool({
  name: 'calculator',
  title: 'Calculator',
  description: 'Adds, subtracts, multiplies or divides two numbers.',
  input: z.strictObject({
    operation: z.enum(['add', 'subtract', 'multiply', 'divide']),
    a: z.number().describe('Left operand'),
    b: z.number().describe('Right operand'),
  }),
  output: z.object({ result: z.number() }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  run({ operation, a, b }) {
    if (operation === 'divide' && b === 0) return refuse('Division by zero is not allowed.')
    const result = operations[operation](a, b)
    if (!Number.isFinite(result)) return refuse('The result is too large for a number.')
    return answer({ result }, String(result))
  },
})
