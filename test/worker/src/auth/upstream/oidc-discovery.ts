import { z } from 'zod'
import { ask, type Asked } from './ask.ts'

// Plain http is for a provider on the same machine.
const Endpoint = z.url().refine((url) => {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname))
})
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

const ProviderMetadata = z.object({
  issuer: z.string(),
  authorization_endpoint: Endpoint,
  token_endpoint: Endpoint,
  userinfo_endpoint: Endpoint,
  authorization_response_iss_parameter_supported: z.boolean().optional(),
})

/** What an OpenID Connect provider says about itself. */
export type ProviderMetadata = z.infer<typeof ProviderMetadata>

/** Reads a provider's metadata, and only if the provider is the one that was asked for. */
export async function discover(issuer: string): Promise<Asked<ProviderMetadata>> {
  const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
  const metadata = await ask(`${base}/.well-known/openid-configuration`, ProviderMetadata)
  if (metadata.ok && metadata.value.issuer !== issuer) {
    return { ok: false, why: 'refused', detail: 'metadata of another issuer' }
  }
  return metadata
}
