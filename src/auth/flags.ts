import type { OptionSpec } from '../option-values.ts'
import { ENTERPRISE_OPTIONS } from './enterprise-flags.ts'

/** The flags of the sign-in. */
export const AUTH_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'profile',
    value: 'name',
    variable: 'BRIDGE_PROFILE',
    help: 'Keep the sign-in apart under this name: several accounts on one server.',
  },
  {
    name: 'scope',
    value: 'scopes',
    variable: 'BRIDGE_SCOPE',
    help: 'Ask for these scopes, separated by spaces, instead of those that the server names.',
  },
  {
    name: 'client-id',
    value: 'id',
    variable: 'BRIDGE_CLIENT_ID',
    help: 'Use this client, registered beforehand, instead of registering one.',
  },
  {
    name: 'client-secret-env',
    value: 'variable',
    help: 'Read the secret of the client from this environment variable.',
  },
  { name: 'client-secret-file', value: 'file', help: 'Read the secret of the client from a file.' },
  {
    name: 'client-key-file',
    value: 'file',
    help: 'Read the private key of the client from a file (PEM or JWK) and sign with it instead of sending a secret.',
  },
  {
    name: 'client-key-env',
    value: 'variable',
    help: 'Read that private key from this environment variable.',
  },
  {
    name: 'client-metadata-url',
    value: 'https-url',
    variable: 'BRIDGE_CLIENT_METADATA_URL',
    help: 'Use this Client ID Metadata Document as client where the server takes one.',
  },
  {
    name: 'static-oauth-client-info',
    value: 'json',
    help: 'The client as JSON, @file or with ${VAR}: client_id, client_secret (as in mcp-remote).',
  },
  {
    name: 'static-oauth-client-metadata',
    value: 'json',
    help: 'What to register the client with, as JSON, @file or with ${VAR} (as in mcp-remote).',
  },
  {
    name: 'issuer',
    value: 'url',
    variable: 'BRIDGE_ISSUER',
    help: 'The only authorization server to use; belongs beside --client-id.',
  },
  {
    name: 'resource',
    value: 'uri',
    variable: 'BRIDGE_RESOURCE',
    help: 'Ask for tokens for this resource instead of the one that the server names.',
  },
  { name: 'no-resource', help: 'Ask for tokens without naming a resource.' },
  {
    name: 'authorize-param',
    value: 'name=value',
    multiple: true,
    help: 'Add a parameter to the address of the sign-in page, e.g. audience=….',
  },
  { name: 'device-code', help: 'Sign in with a code on another device.' },
  {
    name: 'client-credentials',
    help: 'Sign in as a program, without a person; needs --client-id, --issuer and a secret or key.',
  },
  {
    name: 'no-browser',
    variable: 'BRIDGE_NO_BROWSER',
    help: 'Never open a browser; only print the address.',
  },
  {
    name: 'callback-port',
    value: 'port',
    variable: 'BRIDGE_CALLBACK_PORT',
    help: 'The port that the browser comes back to. Default: one per server, another if it is taken.',
  },
  {
    name: 'callback-host',
    value: '127.0.0.1|localhost',
    variable: 'BRIDGE_CALLBACK_HOST',
    help: 'The name that the browser comes back to. Default: 127.0.0.1.',
  },
  {
    name: 'callback-path',
    value: 'path',
    variable: 'BRIDGE_CALLBACK_PATH',
    help: 'The path that the browser comes back to. Default: /callback.',
  },
  {
    name: 'auth-timeout',
    value: 'duration',
    variable: 'BRIDGE_AUTH_TIMEOUT',
    help: 'How long to wait for a person to sign in. Default: 5m.',
  },
  {
    name: 'auth-success-url',
    value: 'url',
    help: 'Where the browser goes after a sign-in that succeeded, instead of our own page.',
  },
  {
    name: 'token-endpoint',
    value: 'url',
    help: 'Ask this token endpoint, without looking for the authorization server; for --client-credentials.',
  },
  {
    name: 'use-id-token',
    help: 'Send the id token instead of the access token, for servers that want that; needs --scope openid.',
  },
  {
    name: 'allow-missing-pkce',
    help: 'Go on with an authorization server that does not say that it supports PKCE.',
  },
  {
    name: 'allow-private-network',
    help: 'Let a public server name an authorization server on a private network.',
  },
  ...ENTERPRISE_OPTIONS,
]
