import * as z from 'zod/mini'
import { catch as otherwise } from 'zod/mini'

/** A list of words that may be missing or `null`; a list of anything else is as good as none. */
const words = otherwise(z.optional(z.array(z.string())), undefined)

/** Protected resource metadata (RFC 9728 §2): what of it is used. */
export const ResourceMetadata = z.object({
  resource: z.string(),
  authorization_servers: z.array(z.string()).check(z.minLength(1)),
  scopes_supported: words,
  dpop_signing_alg_values_supported: words,
  dpop_bound_access_tokens_required: otherwise(z.optional(z.boolean()), undefined),
})

/** What a server says about its own protection. */
export type ResourceMetadata = z.infer<typeof ResourceMetadata>
