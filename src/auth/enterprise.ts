import type { StoredTokens } from '../store/record.ts'
import type { AuthContext } from './context.ts'
import type { Discovery } from './discover.ts'
import { AuthFailure } from './failure.ts'
import { byAssertion } from './grants/jwt-bearer.ts'
import { exchangeIdToken } from './grants/token-exchange.ts'
import type { Idp } from './idp.ts'
import type { Asked } from './request.ts'

/** What the profile of the grant is called in metadata (SEP-990 §6). */
const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag'

/**
 * Gets tokens for the MCP server on the word of the identity provider: ID token → assertion for its
 * authorization server → access token (SEP-990 §4–5). `undefined` when somebody has to sign in at the
 * identity provider first; nobody is ever sent to the server's own sign-in page.
 */
export async function byIdentity(
  context: AuthContext,
  idp: Idp,
  discovery: Discovery,
  asked: Asked,
): Promise<StoredTokens | undefined> {
  const { issuer, metadata } = discovery
  const profiles = metadata.authorization_grant_profiles_supported
  if (profiles !== undefined && !profiles.includes(ID_JAG_PROFILE)) {
    throw new AuthFailure('refused', `${issuer} does not take the word of an identity provider.`, {
      hint: 'Leave --idp-issuer out to sign in there.',
    })
  }
  const provider = await idp.provider()
  let stale: string | undefined
  for (;;) {
    const idToken = await idp.idToken(stale)
    if (idToken === undefined) return undefined
    try {
      const assertion = await exchangeIdToken(idp.context, provider, idToken, issuer, asked)
      return await byAssertion(context, discovery, asked, assertion, 'enterprise')
    } catch (error) {
      // It may have been revoked, or be too old for this: another one is worth one more try.
      const dead = error instanceof AuthFailure && error.kind === 'grant'
      if (!dead || idp.fixed || stale !== undefined) throw error
      stale = idToken
    }
  }
}
