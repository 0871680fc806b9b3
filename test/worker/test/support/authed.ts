import type { AuthInfo } from '@modelcontextprotocol/server'
import type { Env } from '../../src/env.ts'
import { withGateway } from '../../src/gateway.ts'
import { handleMcp } from '../../src/mcp/http.ts'
import { runJobs } from '../../src/jobs.ts'

export { McpSession } from '../../src/mcp/session.ts'
export { OwnerState } from '../../src/owner.ts'

/** `Bearer <user> <scope> <scope>…` is a valid token here: scopes are tested, not sign-in. */
function authInfoOf(request: Request): AuthInfo | undefined {
  const [, credential] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? []
  if (credential === undefined) return undefined
  const [userId = '', ...scopes] = credential.split(' ')
  return {
    token: credential,
    clientId: 'test',
    scopes,
    resource: new URL('/mcp', request.url),
    resourceMetadataUrl: new URL('/.well-known/oauth-protected-resource/mcp', request.url).href,
    extra: { userId, roles: ['member'], login: `${userId} Łódź` },
  }
}

/** The MCP part of the OAuth flavour, with tokens that a test can write by hand. */
export default {
  fetch: withGateway(
    async (request, env, ctx) => {
      const authInfo = authInfoOf(request)
      if (authInfo === undefined) return new Response('Unauthorized', { status: 401 })
      return handleMcp(request, env, ctx, { flavour: 'oauth', authInfo })
    },
    { flavour: 'oauth', hooks: { hello: async () => Response.json({ hello: true }) } },
  ),
  queue: runJobs,
} satisfies ExportedHandler<Env, import('../../src/jobs.ts').JobMessage>
