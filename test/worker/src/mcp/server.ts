import { McpServer } from '@modelcontextprotocol/server'
import { MAX_TOOL_INPUT_ELEMENTS } from '../limits.ts'
import { tools } from '../tools/all.ts'
import { registerTool, type Place } from '../tools/tool.ts'

const INSTRUCTIONS =
  'Demonstration server of the bridge project: arithmetic, notes, preferences, counters and jobs.'

/** A fresh server instance with everything on it; the same for both eras and all transports. */
export function createServer(place: Place): McpServer {
  const server = new McpServer(
    { name: 'bridge-worker', title: 'Bridge companion Worker', version: '0.1.0' },
    {
      instructions: INSTRUCTIONS,
      capabilities: { logging: {} },
      maxToolInputElements: MAX_TOOL_INPUT_ELEMENTS,
    },
  )
  for (const tool of tools) registerTool(server, tool, place)
  return server
}
