import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { catch as otherwise } from 'zod/mini'

const text = otherwise(z.optional(z.string()), undefined)
const number = otherwise(z.optional(z.coerce.number()), undefined)

const Tokens = z.object({
  access_token: z.string(),
  refresh_token: text,
  scope: text,
  /** Milliseconds since 1970. */
  expires_at: number,
  issuer: text,
})

const Client = z.object({
  client_id: z.string(),
  client_secret: text,
  /** Seconds since 1970. */
  client_secret_expires_at: number,
  token_endpoint_auth_method: text,
  redirect_uris: otherwise(z.optional(z.array(z.string())), undefined),
  issuer: text,
})

/** What mcp-remote has stored about one server. */
export interface McpRemoteEntry {
  readonly tokens: z.infer<typeof Tokens> | undefined
  readonly client: z.infer<typeof Client> | undefined
}

/** The settings that are part of the names of its files. */
export interface McpRemoteIdentity {
  readonly server: URL
  readonly resource: string | undefined
  readonly authorizeParams: Readonly<Record<string, string>>
  readonly clientMetadataUrl: string | undefined
}

/**
 * Reads the store of mcp-remote, which is never changed. Its files are named after the MD5 of the
 * server URL and some settings; custom headers are among them, in a spelling that is not known here.
 */
export function readMcpRemote(
  env: NodeJS.ProcessEnv,
  identity: McpRemoteIdentity,
): McpRemoteEntry | undefined {
  const root = env['MCP_REMOTE_CONFIG_DIR'] ?? join(env['HOME'] ?? homedir(), '.mcp-auth')
  for (const folder of foldersOf(root)) {
    for (const name of namesOf(identity)) {
      const tokens = read(join(root, folder, `${name}_tokens.json`), Tokens)
      const client = read(join(root, folder, `${name}_client_info.json`), Client)
      if (tokens !== undefined || client !== undefined) return { tokens, client }
    }
  }
  return undefined
}

/** One folder since 0.1.39, one per version before; the newest first. */
function foldersOf(root: string): string[] {
  const version = (name: string): string =>
    name.replaceAll(/\d+/g, (digits) => digits.padStart(6, '0'))
  const order = (a: string, b: string): number => version(b).localeCompare(version(a))
  try {
    const names = readdirSync(root).filter((name) => name.startsWith('mcp-remote-'))
    const versioned = names.filter((name) => name !== 'mcp-remote-v1').sort(order)
    return ['mcp-remote-v1', ...versioned]
  } catch {
    return []
  }
}

function namesOf({
  server,
  resource,
  authorizeParams,
  clientMetadataUrl,
}: McpRemoteIdentity): string[] {
  const keys = Object.keys(authorizeParams).sort()
  const settings = [
    ...(resource === undefined ? [] : [resource]),
    ...(keys.length === 0 ? [] : [JSON.stringify(authorizeParams, keys)]),
    ...(clientMetadataUrl === undefined ? [] : [clientMetadataUrl]),
  ]
  // It takes the URL as it was typed, so that the slash of a bare origin may be missing.
  const spellings = new Set([server.href, server.href.replace(/\/$/, ''), `${server.href}/`])
  return [...spellings].map((spelling) =>
    createHash('md5')
      .update([spelling, ...settings].join('|'))
      .digest('hex'),
  )
}

function read<T>(file: string, shape: z.ZodMiniType<T>): T | undefined {
  try {
    return shape.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}
