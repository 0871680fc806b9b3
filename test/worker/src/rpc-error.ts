/** JSON-RPC error codes that this Worker itself answers with. */
export const RPC = {
  parse: -32700,
  invalidRequest: -32600,
  invalidParams: -32602,
  internal: -32603,
  /** The SDK's code for everything that HTTP refuses before a message is read. */
  refused: -32000,
  sessionNotFound: -32001,
} as const

/** An HTTP error whose body is a JSON-RPC error, which is what MCP clients can show. */
export function rpcError(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status, headers })
}

/** The answer that tells a client of the initialize era to start a new session. */
export function sessionNotFound(): Response {
  return rpcError(404, RPC.sessionNotFound, 'Session not found')
}

/** The answer to a method that an endpoint does not serve. */
export function methodNotAllowed(allow: string): Response {
  return rpcError(405, RPC.refused, 'Method not allowed', { allow })
}
