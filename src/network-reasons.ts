/** What the code of a network failure means to a person. */
export interface NetworkReason {
  /** What happened, as the rest of a sentence. */
  readonly why: string
  /** What helps against it. */
  readonly hint?: string
  /** Whether it comes before any byte of a request can have been sent. */
  readonly early?: true
}

const TRUST =
  'If a company network or a private authority issued it, pass --use-system-ca, or --ca with the file of that authority.'
const CLOCK =
  'Check the clock of this machine; if it is right, only the operator of the server can help.'
const CLIENT_CERTIFICATE =
  'Pass a client certificate that the server accepts, with --cert and --key.'
const PROXY_SETTING =
  'Check --proxy, or HTTPS_PROXY in the environment of the host; --no-proxy connects directly.'

const NAME =
  'Check the URL. If this network reaches the internet through a proxy only, pass --proxy.'

const UNTRUSTED: NetworkReason = {
  why: 'its certificate comes from an authority that is not trusted here',
  hint: TRUST,
  early: true,
}
const NOT_ACCEPTED: NetworkReason = {
  why: 'it does not accept our client certificate',
  hint: CLIENT_CERTIFICATE,
}
const REFUSED_HANDSHAKE: NetworkReason = {
  why: 'it refused the TLS handshake',
  hint: `Servers that demand a client certificate do so. ${CLIENT_CERTIFICATE}`,
}

/** By the `code` of errors of the system, of Node's TLS (OpenSSL), of undici and of our proxy tunnel. */
export const NETWORK_REASONS: Readonly<Record<string, NetworkReason>> = {
  ECONNREFUSED: { why: 'nothing listens there', early: true },
  ECONNRESET: { why: 'the connection was reset' },
  ENETDOWN: { why: 'the network has changed' },
  EPIPE: { why: 'the connection was closed' },
  ENOTFOUND: { why: 'the host name does not exist', hint: NAME, early: true },
  EAI_AGAIN: { why: 'the host name could not be resolved', hint: NAME, early: true },
  ETIMEDOUT: { why: 'the connection timed out' },
  EHOSTUNREACH: { why: 'the host is unreachable', early: true },
  ENETUNREACH: { why: 'the network is unreachable', early: true },
  UND_ERR_CONNECT_TIMEOUT: {
    why: 'the connection timed out',
    hint: 'If this network has a proxy, pass --proxy; if the way is only slow, --connect-timeout.',
    early: true,
  },
  UND_ERR_SOCKET: { why: 'the connection was closed' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { why: 'the answer was cut short' },
  UND_ERR_HEADERS_OVERFLOW: { why: 'its response headers are too large' },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    why: 'its certificate is self-signed',
    hint: 'If you trust it, pass --ca with a file that holds it.',
    early: true,
  },
  SELF_SIGNED_CERT_IN_CHAIN: {
    why: 'its certificate chain has a self-signed certificate',
    hint: TRUST,
    early: true,
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    why: 'its certificate could not be verified',
    hint: TRUST,
    early: true,
  },
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_UNTRUSTED: UNTRUSTED,
  CERT_HAS_EXPIRED: { why: 'its certificate has expired', hint: CLOCK, early: true },
  CERT_NOT_YET_VALID: { why: 'its certificate is not valid yet', hint: CLOCK, early: true },
  ERR_TLS_CERT_ALTNAME_INVALID: { why: 'its certificate is for another name', early: true },
  // Node 20 names the alerts after SSL 3; newer versions of OpenSSL say SSL/TLS.
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: {
    why: 'it demands a client certificate',
    hint: CLIENT_CERTIFICATE,
  },
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: NOT_ACCEPTED,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: NOT_ACCEPTED,
  'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE': NOT_ACCEPTED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: NOT_ACCEPTED,
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN': NOT_ACCEPTED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: NOT_ACCEPTED,
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED': NOT_ACCEPTED,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: REFUSED_HANDSHAKE,
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': REFUSED_HANDSHAKE,
  ERR_SSL_WRONG_VERSION_NUMBER: {
    why: 'it does not speak TLS on this port',
    hint: 'Check the port and the scheme of the URL.',
    early: true,
  },
  ERR_PROXY_UNREACHABLE: { why: 'the proxy cannot be used', hint: PROXY_SETTING, early: true },
  ERR_PROXY_TIMEOUT: { why: 'the proxy did not answer in time', hint: PROXY_SETTING, early: true },
  ERR_PROXY_REFUSED: {
    why: 'the proxy refused to connect us',
    hint: 'If the server can be reached without the proxy, add its name to NO_PROXY or pass --no-proxy.',
    early: true,
  },
  ERR_PROXY_CREDENTIALS_MISSING: {
    why: 'the proxy wants a user name and a password',
    hint: 'Put them into the address of the proxy, http://user:password@host:port, in BRIDGE_PROXY or HTTPS_PROXY.',
    early: true,
  },
  ERR_PROXY_CREDENTIALS_REFUSED: {
    why: 'the proxy does not accept this user name and password',
    hint: 'Check them in the address of the proxy; special characters are percent-encoded.',
    early: true,
  },
  ERR_PROXY_UNSUPPORTED: {
    why: 'the proxy does not speak HTTP',
    hint: 'Pass --proxy with an http:// or https:// proxy, or --no-proxy.',
    early: true,
  },
}
