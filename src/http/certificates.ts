import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import tls, { type SecureContext } from 'node:tls'
import { BridgeError } from '../errors.ts'
import { isOpenToOthers, permissionsOf } from '../private-file.ts'
import type { ClientCertificate, NetworkOptions } from './options.ts'

/** Whom we trust, and who we are. */
export interface Certificates {
  /** For connections to servers. Made once: reading 150 authorities takes 20 ms. */
  readonly secureContext: SecureContext
  /** The certificate authorities in PEM; `undefined`: Node's own choice. */
  readonly ca: readonly string[] | undefined
}

/** Reads the certificates that the options name; throws `BridgeError` with the file that is unusable. */
export function readCertificates(
  { caFile, systemCa, pinnedCaFile, clientCertificate }: NetworkOptions,
  env: NodeJS.ProcessEnv,
): Certificates {
  const more = [
    ...(caFile === undefined ? [] : authoritiesOf(caFile)),
    ...(systemCa ? systemAuthorities(env) : []),
  ]
  const all = more.length === 0 ? undefined : [...defaultAuthorities(env), ...more]
  const ca = pinnedCaFile === undefined ? all : [...authoritiesOf(pinnedCaFile, 'a policy')]
  const identity = clientCertificate === undefined ? {} : identityOf(clientCertificate)
  const secureContext = tls.createSecureContext({ ...identity, ...(ca && { ca }) })
  return { secureContext, ca }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/

/** `tls.getCACertificates` of Node 22.15 and newer; the types are those of Node 20. */
function certificatesOfNode(kind: 'default' | 'system'): readonly string[] | undefined {
  const { getCACertificates } = tls as { getCACertificates?: (kind: string) => string[] }
  return getCACertificates?.(kind)
}

/** What Node trusts when it is not told anything; an explicit list replaces it as a whole. */
function defaultAuthorities(env: NodeJS.ProcessEnv): readonly string[] {
  const known = certificatesOfNode('default')
  if (known !== undefined) return known
  const extra = env['NODE_EXTRA_CA_CERTS']
  return [...tls.rootCertificates, ...(extra ? pemsOf(tryRead(extra) ?? '') : [])]
}

/** Where the systems without an interface of their own keep their authorities in one file. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Alpine, Arch, Gentoo
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/etc/ssl/ca-bundle.pem', // openSUSE
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', // RHEL 7
]

function systemAuthorities(env: NodeJS.ProcessEnv): readonly string[] {
  const known = certificatesOfNode('system')
  if (known !== undefined) return known
  // OpenSSL's own variable comes first, as it does in Node 22.
  const files = [env['SSL_CERT_FILE'], ...(process.platform === 'linux' ? BUNDLES : [])]
  for (const file of files) {
    const pems = file ? pemsOf(tryRead(file) ?? '') : []
    if (pems.length > 0) return pems
  }
  const where = `Node ${process.versions.node} cannot read the certificate authorities of this system`
  throw new BridgeError('usage', `${where} (--use-system-ca).`, {
    hint: 'Use Node 22.15 or newer, or export them into a file and pass --ca.',
  })
}

function authoritiesOf(file: string, source = '--ca'): readonly string[] {
  const pems = pemsOf(read(file, source).toString('latin1'))
  if (pems.length === 0) {
    throw new BridgeError('usage', `${file} holds no certificate in PEM (${source}).`, {
      hint: 'A certificate in PEM begins with -----BEGIN CERTIFICATE-----.',
    })
  }
  for (const pem of pems) certificateOf(pem, file, source)
  return pems
}

type Identity = Pick<tls.SecureContextOptions, 'cert' | 'key' | 'pfx' | 'passphrase'>

function identityOf({ certFile, keyFile, passphrase }: ClientCertificate): Identity {
  const content = read(certFile, '--cert')
  const text = content.toString('latin1')
  const secret = passphrase === undefined ? {} : { passphrase }
  if (!text.includes('-----BEGIN ')) {
    refuseOpenToOthers(certFile)
    return pkcs12(certFile, { pfx: content, ...secret })
  }
  const inside = keyFile === undefined
  if (inside && !PRIVATE_KEY.test(text)) {
    throw new BridgeError('usage', `${certFile} holds no private key.`, { hint: 'Pass --key.' })
  }
  const source = keyFile ?? certFile
  const keyText = inside ? text : read(source, '--key').toString('latin1')
  refuseOpenToOthers(source)
  const key = keyOf(keyText, source, passphrase)
  if (!certificateOf(pemsOf(text)[0] ?? '', certFile, '--cert').checkPrivateKey(key)) {
    throw new BridgeError('usage', `The key in ${source} is not that of the certificate.`)
  }
  return { cert: text, key: keyText, ...secret }
}

function keyOf(pem: string, file: string, passphrase: string | undefined): KeyObject {
  // PKCS #8 says so in its first line, the older form in a header (RFC 1421 §4.6.1.1).
  const encrypted = /ENCRYPTED/.test(pem)
  if (encrypted && passphrase === undefined) {
    throw new BridgeError('usage', `The key in ${file} is encrypted.`, {
      hint: 'Put its passphrase into an environment variable and name that with --passphrase-env.',
    })
  }
  try {
    return createPrivateKey({ key: pem, ...(encrypted ? { passphrase } : {}) })
  } catch (cause) {
    const problem = encrypted
      ? `The passphrase does not open the key in ${file}.`
      : `${file} holds no usable private key in PEM.`
    throw new BridgeError('usage', problem, { cause })
  }
}

function pkcs12(file: string, identity: Identity): Identity {
  try {
    tls.createSecureContext(identity)
    return identity
  } catch (cause) {
    throw new BridgeError('usage', `${file} is neither PEM nor a PKCS #12 file that opens.`, {
      hint: 'Name its passphrase with --passphrase-env. Files of old programs need openssl pkcs12 -legacy to be converted.',
      cause,
    })
  }
}

function refuseOpenToOthers(file: string): void {
  const found = statSync(file)
  if (!isOpenToOthers(found)) return
  const what = `Others can read the key in ${file} (mode ${permissionsOf(found)}).`
  throw new BridgeError('usage', what, { hint: `Run chmod 600 ${file}` })
}

function certificateOf(pem: string, file: string, source: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new BridgeError('usage', `${file} holds a certificate that cannot be read (${source}).`, {
      cause,
    })
  }
}

function pemsOf(text: string): string[] {
  return text.match(CERTIFICATE) ?? []
}

function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}

function read(file: string, source: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new BridgeError('usage', `Cannot read ${file} (${code}, ${source}).`, { cause })
  }
}
