/** The scope every token carries: list and call the ordinary tools. */
export const BASE_SCOPE = 'mcp:read'

/** The scope that only an owner with the admin role can be granted. */
export const ADMIN_SCOPE = 'notes:admin'

/** All scopes of this server with the sentence that the consent page shows. */
export const SCOPES: Readonly<Record<string, string>> = {
  [BASE_SCOPE]: 'List and call the tools of this server',
  [ADMIN_SCOPE]: 'Delete all notes',
}
