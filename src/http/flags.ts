import type { OptionSpec } from '../option-values.ts'

/** The flags of the network. */
export const NETWORK_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'proxy',
    value: 'url',
    variable: 'BRIDGE_PROXY',
    help: 'Go through this proxy; "none" for no proxy. Default: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.',
  },
  { name: 'no-proxy', help: 'Use no proxy, whatever the environment says.' },
  {
    name: 'ca',
    value: 'file',
    variable: 'BRIDGE_CA',
    help: 'Trust the certificate authorities in this file (PEM) besides the usual ones.',
  },
  {
    name: 'use-system-ca',
    variable: 'BRIDGE_USE_SYSTEM_CA',
    help: 'Trust the certificate authorities of the operating system besides the usual ones.',
  },
  {
    name: 'cert',
    value: 'file',
    variable: 'BRIDGE_CERT',
    help: 'Present this client certificate where one is asked for (PEM, or PKCS #12 with its key).',
  },
  {
    name: 'key',
    value: 'file',
    variable: 'BRIDGE_KEY',
    help: 'The private key of the client certificate (PEM). Default: it is in the file of --cert.',
  },
  {
    name: 'passphrase-env',
    value: 'variable',
    help: 'Read the passphrase of that key from this environment variable.',
  },
  {
    name: 'connect-timeout',
    value: 'duration',
    variable: 'BRIDGE_CONNECT_TIMEOUT',
    help: 'How long a connection may take to be made, and a tunnel before it. Default: 10s.',
  },
  { name: 'ipv4', variable: 'BRIDGE_IPV4', help: 'Connect by IPv4 only.' },
  { name: 'ipv6', variable: 'BRIDGE_IPV6', help: 'Connect by IPv6 only.' },
  {
    name: 'no-cookies',
    variable: 'BRIDGE_NO_COOKIES',
    help: 'Do not send back the cookies of the server, by which load balancers know their clients.',
  },
  {
    name: 'http2',
    value: 'off|auto',
    variable: 'BRIDGE_HTTP2',
    help: 'Speak HTTP/2 where the server offers it. Default: off.',
  },
]
