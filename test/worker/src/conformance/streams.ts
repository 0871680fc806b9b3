import type { McpServer, ServerEvent } from '@modelcontextprotocol/server'
import { ownerState } from '../owner-stub.ts'
import { pause } from '../pause.ts'
import { callerAt, type Place } from '../place.ts'
import { said } from './samples.ts'

const STEP_MS = 50

/** Long enough for the client to see its stream end before the result exists. */
const RECONNECT_MS = 100

/** Tools that send notifications, and tools that end their own stream. */
export function registerStreamTools(server: McpServer, place: Place): void {
  for (const name of ['test_tool_with_logging', 'test_logging_tool']) {
    server.registerTool(name, { description: 'Sends three log messages.' }, async ({ mcpReq }) => {
      await mcpReq.log('info', 'Tool execution started')
      await pause(STEP_MS, mcpReq.signal)
      await mcpReq.log('info', 'Tool processing data')
      await pause(STEP_MS, mcpReq.signal)
      await mcpReq.log('info', 'Tool execution completed')
      return said('Logged three messages.')
    })
  }

  server.registerTool(
    'test_tool_with_progress',
    { description: 'Reports progress three times.' },
    async ({ mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken
      for (const progress of [0, 50, 100]) {
        if (progress > 0) await pause(STEP_MS, mcpReq.signal)
        if (progressToken === undefined) continue
        const params = { progressToken, progress, total: 100 }
        await mcpReq.notify({ method: 'notifications/progress', params })
      }
      return said('Reported progress.')
    },
  )

  server.registerTool(
    'test_reconnection',
    { description: 'Ends its stream before the result exists; the client has to resume it.' },
    async ({ http, mcpReq }) => {
      http?.closeSSE?.()
      await pause(RECONNECT_MS, mcpReq.signal)
      return said('Reconnected.')
    },
  )

  const changes: Readonly<Record<string, ServerEvent>> = {
    test_trigger_tool_change: { kind: 'tools_list_changed' },
    test_trigger_prompt_change: { kind: 'prompts_list_changed' },
  }
  for (const [name, event] of Object.entries(changes)) {
    server.registerTool(name, { description: 'Announces a changed list.' }, async (ctx) => {
      await ownerState(place.env, callerAt(place, ctx).owner).publish(event)
      return said('Announced.')
    })
  }
}
