/** What an OAuth server says is wrong. */
export interface OAuthError {
  /** The error code of RFC 6749 §5.2 and its extensions. */
  readonly code: string | undefined
  readonly description: string | undefined
}

/** Reads the error in a response body; servers that are not quite OAuth have other names for it. */
export function oauthError(content: string): OAuthError {
  const none = { code: undefined, description: undefined }
  let body: unknown
  try {
    body = JSON.parse(content)
  } catch {
    return none
  }
  if (typeof body !== 'object' || body === null) return none
  const text = (name: string): string | undefined => {
    const value = (body as Record<string, unknown>)[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  return {
    code: text('error'),
    description: text('error_description') ?? text('message') ?? text('msg'),
  }
}

/**
 * Microsoft Entra's refusal of `resource` beside scopes. The OAuth code that comes with it differs
 * by endpoint; this number is the only thing that does not (AADSTS error reference).
 */
export function refusesResource({ code, description }: OAuthError): boolean {
  return code === 'invalid_target' || description?.includes('AADSTS9010010') === true
}
