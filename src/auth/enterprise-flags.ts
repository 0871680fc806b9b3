import type { OptionSpec } from '../option-values.ts'

/** The flags of the sign-in that companies ask for (docs/enterprise.md). */
export const ENTERPRISE_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'dpop',
    value: 'auto|required|off',
    variable: 'BRIDGE_DPOP',
    help: 'Bind tokens to a key of this account: when both servers want it, always, or never. Default: auto.',
  },
  {
    name: 'idp-issuer',
    value: 'url',
    variable: 'BRIDGE_IDP_ISSUER',
    help: "Sign in at the company's identity provider, once for all servers that trust it.",
  },
  {
    name: 'idp-client-id',
    value: 'id',
    variable: 'BRIDGE_IDP_CLIENT_ID',
    help: 'The client that is registered at the identity provider.',
  },
  {
    name: 'idp-client-secret-env',
    value: 'variable',
    help: 'Read the secret of that client from this environment variable.',
  },
  {
    name: 'idp-client-secret-file',
    value: 'file',
    help: 'Read the secret of that client from a file.',
  },
  {
    name: 'idp-client-key-file',
    value: 'file',
    help: 'Read the private key of that client from a file (PEM or JWK).',
  },
  {
    name: 'id-token-file',
    value: 'file',
    help: 'Read the ID token of the identity provider from a file instead of signing in there.',
  },
  {
    name: 'id-token-env',
    value: 'variable',
    help: 'Read the ID token from this environment variable.',
  },
  {
    name: 'id-token-command',
    value: 'command',
    help: 'Run this program for the ID token.',
  },
  {
    name: 'workload-token-file',
    value: 'file',
    help: "Sign in as a workload with the platform's token in this file, read again at each renewal.",
  },
  {
    name: 'workload-token-env',
    value: 'variable',
    help: "Sign in as a workload with the platform's token in this environment variable.",
  },
  {
    name: 'workload-token-command',
    value: 'command',
    help: "Sign in as a workload with the platform's token that this program prints.",
  },
  {
    name: 'token-command',
    value: 'command',
    help: 'Run this program for the access token, again when it has expired or is refused; OAuth never starts.',
  },
]
