import type { Env } from './env.ts'
import { withGateway } from './gateway.ts'
import { runJobs } from './jobs.ts'
import { handleMcp } from './mcp/http.ts'

export { McpSession } from './mcp/session.ts'
export { OwnerState } from './owner.ts'

/** The public flavour: every endpoint, nobody signs in. */
export default {
  fetch: withGateway((request, env, ctx) => handleMcp(request, env, ctx, { flavour: 'public' }), {
    flavour: 'public',
  }),
  queue: runJobs,
} satisfies ExportedHandler<Env, import('./jobs.ts').JobMessage>
