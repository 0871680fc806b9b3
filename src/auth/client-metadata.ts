import packageJson from '../../package.json' with { type: 'json' }
import { DEVICE_CODE_GRANT } from '../store/server-metadata.ts'

/** What authorization servers show a person who is asked to consent. */
const CLIENT_NAME = 'MCP Bridge'

/**
 * The port of the redirect URIs in a client's own document, which cannot follow a free one. Out of
 * the ranges that systems give away by themselves (Linux from 32768, others from 49152).
 */
export const DOCUMENT_PORT = 28_747

/** The path of redirect URIs. */
export const CALLBACK_PATH = '/callback'

const DOCUMENT_HOSTS = ['127.0.0.1', 'localhost']

/** What every registration of ours says, whichever way it is made. */
const COMMON = {
  client_name: CLIENT_NAME,
  software_id: packageJson.name,
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
  application_type: 'native',
} as const

/** The document to publish at `url`, which then is the client's id. */
export function clientIdMetadataDocument(url: string): object {
  return {
    client_id: url,
    ...COMMON,
    grant_types: ['authorization_code', 'refresh_token', DEVICE_CODE_GRANT],
    redirect_uris: [
      ...DOCUMENT_HOSTS.map((host) => `http://${host}:${DOCUMENT_PORT}${CALLBACK_PATH}`),
      // For servers that follow RFC 8252 §7.3 and take any port on loopback.
      ...DOCUMENT_HOSTS.map((host) => `http://${host}${CALLBACK_PATH}`),
    ],
  }
}

/** What is to be registered for one sign-in. */
export interface Registration {
  readonly redirectUri: string
  readonly device: boolean
  readonly scope: string | undefined
  readonly authMethod: string
  /** The user's own members; they win. */
  readonly own: Readonly<Record<string, unknown>>
}

/** The body of a dynamic client registration. */
export function registrationBody(registration: Registration): Record<string, unknown> {
  const { redirectUri, device, scope, authMethod, own } = registration
  return {
    ...COMMON,
    software_version: packageJson.version,
    grant_types: ['authorization_code', 'refresh_token', ...(device ? [DEVICE_CODE_GRANT] : [])],
    token_endpoint_auth_method: authMethod,
    ...(scope === undefined ? {} : { scope }),
    ...own,
    redirect_uris: [redirectUri],
  }
}
