/** What a server's refusal asks for. */
export interface Challenge {
  readonly status: 401 | 403
  /** The values of `WWW-Authenticate`, as received. */
  readonly authenticate: readonly string[]
}

/** The end of an attempt to get a better credential. */
export type Renewal =
  | { readonly ok: true }
  | { readonly ok: false; readonly hint: string; readonly cause?: unknown }

/** Supplies the credential of every request to the MCP server and replaces it when it is refused. */
export interface Authorizer {
  /** The value of the `Authorization` header, from memory. */
  credential(): string | undefined
  /** Called for 401 and for 403 with `insufficient_scope`; the request is sent once more when `ok`. */
  renew(challenge: Challenge): Promise<Renewal>
}

/** For servers that ask for nothing, and for credentials that the user supplies as a header. */
export function noAuthorizer(): Authorizer {
  return {
    credential: () => undefined,
    renew: () =>
      Promise.resolve({
        ok: false,
        hint: 'Pass a token with --header-file, --header or BRIDGE_HEADER_AUTHORIZATION.',
      }),
  }
}
