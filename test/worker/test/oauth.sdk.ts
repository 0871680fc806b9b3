import type { OAuthDiscoveryState } from '@modelcontextprotocol/client'
import type {
  OAuthClientInformationFull,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js'

/**
 * The client side of a sign-in as both official clients want it, kept in memory. Instead of opening
 * a browser it remembers where the browser should go.
 */
export function memoryProvider(redirectUrl: string) {
  let client: OAuthClientInformationFull | undefined
  let tokens: OAuthTokens | undefined
  let verifier = ''
  let target: URL | undefined
  let discovery: OAuthDiscoveryState | undefined
  return {
    redirectUrl,
    clientMetadata: {
      client_name: 'Official client',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => client,
    saveClientInformation: (information: OAuthClientInformationFull) => {
      client = information
    },
    tokens: () => tokens,
    saveTokens: (issued: OAuthTokens) => {
      tokens = issued
    },
    redirectToAuthorization: (url: URL) => {
      target = url
    },
    saveCodeVerifier: (code: string) => {
      verifier = code
    },
    codeVerifier: () => verifier,
    saveDiscoveryState: (state: OAuthDiscoveryState) => {
      discovery = state
    },
    discoveryState: () => discovery,
    /** Where the client sent the browser last; it is an error if it did not. */
    sentTo(): string {
      if (target === undefined) throw new Error('the client did not ask to sign in')
      const { href } = target
      target = undefined
      return href
    },
  }
}
