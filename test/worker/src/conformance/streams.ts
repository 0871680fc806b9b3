import type { McpServer, ServerEvent } from '@modelcontextprotocol/server'
import { ownerState } from '../owner-stub.ts'
import { pause } from '../pause.ts'
import { callerAt, type Place } from '../place.ts'
import { said } from './samples.ts'

const STEP_MS = 50

/** Long enough for the client to see its stream end before the result exists. */
const RECONNECT_MS = 100

/** A changed list, for those who listen and for the session that it was changed in. */
interface Change {
  readonly event: ServerEvent
  announce(): void | Promise<void>
}

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

  const changes: Readonly<Record<string, Change>> = {
    test_trigger_tool_change: {
      event: { kind: 'tools_list_changed' },
      announce: () => server.sendToolListChanged(),
    },
    test_trigger_prompt_change: {
      event: { kind: 'prompts_list_changed' },
      announce: () => server.sendPromptListChanged(),
    },
  }
  for (const [name, { event, announce }] of Object.entries(changes)) {
    server.registerTool(name, { description: 'Announces a changed list.' }, async (ctx) => {
      await ownerState(place.env, callerAt(place, ctx).owner).publish(event)
      // The owner tells listen streams; a session has its own.
      if (place.sessionId !== undefined) await announce()
      return said('Announced.')
    })
  }
}
