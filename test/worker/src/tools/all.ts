import { calculator } from './calculator.ts'
import { increment } from './increment.ts'
import type { Tool } from './tool.ts'
import { whoami } from './whoami.ts'

/** Every tool of the server, in the order in which clients list them. */
export const tools: readonly Tool[] = [calculator, whoami, increment]
