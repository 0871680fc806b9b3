import { McpServer } from '@modelcontextprotocol/server'
import { registerConformanceFixtures } from '../conformance/all.ts'
import { fixtureState } from '../conformance/input-required.ts'
import { MAX_TOOL_INPUT_ELEMENTS } from '../limits.ts'
import type { Place } from '../place.ts'
import { registerPrompts } from '../prompts.ts'
import { allowSubscriptions, registerResources } from '../resources.ts'
import { tools } from '../tools/all.ts'
import { registerTool } from '../tools/tool.ts'

const INSTRUCTIONS =
  'Demonstration server of the bridge project: arithmetic, notes, preferences, counters and jobs.'

/** A fresh server instance with everything on it; the same for both eras and all transports. */
export function createServer(place: Place): McpServer {
  const fixtures = place.env.CONFORMANCE_FIXTURES === '1'
  const server = new McpServer(
    { name: 'bridge-worker', title: 'Bridge companion Worker', version: '0.1.0' },
    {
      instructions: INSTRUCTIONS,
      capabilities: { logging: {} },
      maxToolInputElements: MAX_TOOL_INPUT_ELEMENTS,
      ...(fixtures ? { requestState: { verify: fixtureState.verify } } : {}),
    },
  )
  for (const tool of tools) registerTool(server, tool, place)
  registerResources(server, place)
  registerPrompts(server)
  if (fixtures) registerConformanceFixtures(server, place)
  allowSubscriptions(server, place)
  return server
}
