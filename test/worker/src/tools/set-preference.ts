import { z } from 'zod'
import { KV_MIN_TTL_S } from '../limits.ts'
import { preferenceKey } from '../preference-key.ts'
import { safeName, safeText } from '../text.ts'
import { answer, defineTool } from './tool.ts'

const A_YEAR_S = 365 * 24 * 60 * 60
const A_MONTH_S = 30 * 24 * 60 * 60

/** Remembers a value in KV until it expires. */
export const setPreference = defineTool({
  name: 'set_preference',
  title: 'Set a preference',
  description: 'Remembers a value under a name for you, until it expires.',
  input: z.strictObject({
    name: safeName(),
    value: safeText(1000),
    ttl_seconds: z.int().min(KV_MIN_TTL_S).max(A_YEAR_S).default(A_MONTH_S),
  }),
  output: z.object({ name: z.string(), expires_at: z.iso.datetime() }),
  annotations: { idempotentHint: true, destructiveHint: false, openWorldHint: false },
  async run({ name, value, ttl_seconds: expirationTtl }, { env, caller }) {
    await env.PREFS.put(preferenceKey(caller.owner, name), value, { expirationTtl })
    return answer({ name, expires_at: new Date(Date.now() + expirationTtl * 1000).toISOString() })
  },
})
