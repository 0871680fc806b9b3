import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls, { rootCertificates } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { BridgeError } from '../../src/errors.ts'
import { readCertificates } from '../../src/http/certificates.ts'
import type { ClientCertificate, NetworkOptions } from '../../src/http/options.ts'
import { makeAuthority } from '../support/certificate.ts'
import { networkOptions } from '../support/network.ts'

const authority = makeAuthority()
const client = authority.issue('client.example')
const other = authority.issue('other.example')
const encrypted = createPrivateKey(client.key).export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'sentinel',
}) as string

/** A folder with these files, closed to others. */
function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-certificates-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content, { mode: 0o600 })
  }
  return folder
}

function failure(wanted: Partial<NetworkOptions>, env: NodeJS.ProcessEnv = {}): BridgeError {
  try {
    readCertificates(networkOptions(wanted), env)
  } catch (error) {
    if (error instanceof BridgeError) return error
    throw error
  }
  throw new Error('expected a BridgeError')
}

describe('--ca', () => {
  test('adds to what is trusted anyway', () => {
    const folder = folderWith({ 'ca.pem': `comment\n${authority.cert}${makeAuthority().cert}` })
    const { ca } = readCertificates(networkOptions({ caFile: join(folder, 'ca.pem') }), {})
    expect(ca).toEqual(expect.arrayContaining([...rootCertificates, authority.cert.trim()]))
    expect(ca!.length).toBeGreaterThanOrEqual(rootCertificates.length + 2)
  })

  test.each<[string, string | undefined, RegExp]>([
    ['is missing', undefined, /^Cannot read \S+ca\.pem \(ENOENT, --ca\)\.$/],
    ['is empty', '', /^\S+ca\.pem holds no certificate in PEM \(--ca\)\.$/],
    ['is DER', '\u0030\u0082', /holds no certificate in PEM/],
    ['is a key', client.key, /holds no certificate in PEM/],
    [
      'is broken',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      /^\S+ca\.pem holds a certificate that cannot be read \(--ca\)\.$/,
    ],
  ])('that %s', (_, content, message) => {
    const folder = folderWith(content === undefined ? {} : { 'ca.pem': content })
    const error = failure({ caFile: join(folder, 'ca.pem') })
    expect(error.message).toMatch(message)
    expect(error.code).toBe('usage')
  })
})

test('--use-system-ca reads the file that OpenSSL would', () => {
  const folder = folderWith({ 'system.pem': authority.cert })
  const env = { SSL_CERT_FILE: join(folder, 'system.pem') }
  const { ca } = readCertificates(networkOptions({ systemCa: true }), env)
  expect(ca).toEqual(expect.arrayContaining([...rootCertificates]))
  // Newer versions of Node read the file that the process was started with; see the e2e test.
  expect(ca!.includes(authority.cert.trim())).toBe(!('getCACertificates' in tls))
})

describe('a client certificate', () => {
  const files = {
    'c.pem': client.cert,
    'k.pem': client.key,
    'both.pem': client.cert + client.key,
    'locked.pem': encrypted,
    'other.pem': other.key,
    'nonsense.pem': 'nonsense',
  }
  const read = (folder: string, certificate: Partial<ClientCertificate>): void => {
    const file = (name: string | undefined): string | undefined => name && join(folder, name)
    const clientCertificate = {
      certFile: file(certificate.certFile ?? 'c.pem')!,
      keyFile: file(certificate.keyFile),
      passphrase: certificate.passphrase,
    }
    readCertificates(networkOptions({ clientCertificate }), {})
  }

  test.each<[string, Partial<ClientCertificate>]>([
    ['and its key', { keyFile: 'k.pem' }],
    ['and its key in one file', { certFile: 'both.pem' }],
    ['and its locked key', { keyFile: 'locked.pem', passphrase: 'sentinel' }],
    ['and a passphrase for nothing', { keyFile: 'k.pem', passphrase: 'sentinel' }],
  ])('%s', (_, certificate) => {
    expect(() => read(folderWith(files), certificate)).not.toThrow()
  })

  test.each<[string, Partial<ClientCertificate>, RegExp, RegExp]>([
    ['without its key', {}, /c\.pem holds no private key\.$/, /--key/],
    [
      'with a key that is missing',
      { keyFile: 'x.pem' },
      /^Cannot read \S+x\.pem \(ENOENT, --key\)/,
      /^undefined$/,
    ],
    [
      'that is missing',
      { certFile: 'x.pem' },
      /^Cannot read \S+x\.pem \(ENOENT, --cert\)/,
      /^undefined$/,
    ],
    [
      'with a locked key',
      { keyFile: 'locked.pem' },
      /^The key in \S+locked\.pem is encrypted\.$/,
      /--passphrase-env/,
    ],
    [
      'with another passphrase',
      { keyFile: 'locked.pem', passphrase: 'wrong-sentinel' },
      /^The passphrase does not open the key in \S+locked\.pem\.$/,
      /^undefined$/,
    ],
    [
      'with nonsense for a key',
      { keyFile: 'nonsense.pem' },
      /nonsense\.pem holds no usable private key in PEM\.$/,
      /^undefined$/,
    ],
    [
      'with the key of another',
      { keyFile: 'other.pem' },
      /^The key in \S+other\.pem is not that of the certificate\.$/,
      /^undefined$/,
    ],
    [
      'that is nonsense',
      { certFile: 'nonsense.pem' },
      /is neither PEM nor a PKCS #12 file that opens\.$/,
      /--passphrase-env/,
    ],
  ])('%s', (_, certificate, message, hint) => {
    const folder = folderWith(files)
    let error: unknown
    try {
      read(folder, certificate)
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(BridgeError)
    expect((error as BridgeError).message).toMatch(message)
    expect(String((error as BridgeError).hint)).toMatch(hint)
    expect(String(error)).not.toContain('sentinel')
    expect((error as BridgeError).code).toBe('usage')
  })

  test.runIf(process.platform !== 'win32')('whose key others can read is refused', () => {
    const folder = folderWith(files)
    const key = join(folder, 'k.pem')
    chmodSync(key, 0o644)
    const certificate = { keyFile: 'k.pem' }
    expect(() => read(folder, certificate)).toThrow(
      `Others can read the key in ${key} (mode 0644).`,
    )
    chmodSync(key, 0o400)
    read(folder, certificate)
    // As mounted from a secret store: root's, for a group.
    chmodSync(key, 0o640)
    const attempt = (): unknown => {
      try {
        return read(folder, certificate)
      } catch (error) {
        return (error as Error).message
      }
    }
    const mine = `Others can read the key in ${key} (mode 0640).`
    expect(attempt()).toBe(process.getuid?.() === 0 ? undefined : mine)
  })

  test('in PKCS #12', () => {
    const folder = folderWith(files)
    const file = join(folder, 'c.p12')
    const options = ['-in', join(folder, 'both.pem'), '-passout', 'pass:sentinel', '-out', file]
    execFileSync('openssl', ['pkcs12', '-export', ...options])
    chmodSync(file, 0o600)
    read(folder, { certFile: 'c.p12', passphrase: 'sentinel' })
    expect(() => read(folder, { certFile: 'c.p12', passphrase: 'wrong' })).toThrow(/that opens/)
    chmodSync(file, 0o604)
    expect(() => read(folder, { certFile: 'c.p12', passphrase: 'sentinel' })).toThrow(/mode 0604/)
  })
})
