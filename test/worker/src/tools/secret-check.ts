import { z } from 'zod'
import { answer, defineTool, refuse } from './tool.ts'

/** Uses a secret without ever showing it. */
export const secretCheck = defineTool({
  name: 'secret_check',
  title: 'Check the secret',
  description: 'Tells whether the server has its API key, by the first bytes of its SHA-256.',
  input: z.strictObject({}),
  output: z.object({ configured: z.boolean(), fingerprint: z.string() }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  async run(_args, { env }) {
    if (env.DEMO_API_KEY === undefined) {
      return refuse('DEMO_API_KEY is not set: npx wrangler secret put DEMO_API_KEY')
    }
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(env.DEMO_API_KEY))
    const hex = [...new Uint8Array(digest, 0, 4)].map((byte) => byte.toString(16).padStart(2, '0'))
    return answer({ configured: true, fingerprint: hex.join('') })
  },
})
