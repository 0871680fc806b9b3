/** 32 random bytes as base64url: 43 characters, the shortest PKCE verifier that RFC 7636 allows. */
export const randomToken = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)))

/** SHA-256 of a text as base64url: the S256 challenge of a verifier. */
export async function sha256(text: string): Promise<string> {
  return base64url(
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))),
  )
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
