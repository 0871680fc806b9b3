import type { McpServer } from '@modelcontextprotocol/server'
import type { Place } from '../place.ts'
import { registerAskingTools } from './asking.ts'
import { registerContentTools } from './content.ts'
import { registerInputRequiredFixtures } from './input-required.ts'
import { registerPromptFixtures } from './prompts.ts'
import { registerResourceFixtures } from './resources.ts'
import { registerStreamTools } from './streams.ts'

/**
 * The tools, resources and prompts that the official conformance suite looks for by name. Names,
 * texts and shapes are prescribed by the suite; registered only where CONFORMANCE_FIXTURES is `1`.
 */
export function registerConformanceFixtures(server: McpServer, place: Place): void {
  registerContentTools(server)
  registerStreamTools(server, place)
  registerAskingTools(server)
  registerInputRequiredFixtures(server)
  registerResourceFixtures(server)
  registerPromptFixtures(server)
}
