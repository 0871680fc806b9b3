import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { isIPv4 } from 'node:net'

/** A key and its certificate, in PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** A certificate authority that nobody knows beforehand. */
export interface Authority {
  /** What to trust. */
  readonly cert: string
  /** A certificate for these names and IPv4 addresses, for servers and clients alike. */
  issue(...names: string[]): Certificate
}

/**
 * A self-signed certificate for 127.0.0.1 and localhost, valid for an hour (RFC 5280 in DER). Made
 * anew for each run: no private key lies in the repository, and none expires there.
 */
export function makeCertificate(): Certificate {
  const pair = newPair()
  const extensions = [subjectAltName(['127.0.0.1', 'localhost'])]
  const cert = sign(
    { subject: 'localhost', publicKey: pair.publicKey, extensions },
    pair,
    'localhost',
  )
  return { key: pem(pair.privateKey), cert }
}

/** An authority of its own, valid for an hour. */
export function makeAuthority(name = 'Test Authority'): Authority {
  const pair = newPair()
  const isAuthority = sequence(TRUE)
  const extensions = [sequence(BASIC_CONSTRAINTS, TRUE, tag(0x04, isAuthority))]
  return {
    cert: sign({ subject: name, publicKey: pair.publicKey, extensions }, pair, name),
    issue(...names) {
      const { privateKey, publicKey } = newPair()
      const leaf = { subject: names[0]!, publicKey, extensions: [subjectAltName(names)] }
      return { key: pem(privateKey), cert: sign(leaf, pair, name) }
    },
  }
}

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

interface Content {
  readonly subject: string
  readonly publicKey: KeyObject
  readonly extensions: readonly Buffer[]
}

function newPair(): Pair {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string
}

let serial = 0

function sign(
  { subject, publicKey, extensions }: Content,
  issuer: Pair,
  issuerName: string,
): string {
  const algorithm = sequence(ECDSA_WITH_SHA256)
  const now = Date.now()
  const body = sequence(
    tag(0xa0, tag(0x02, Buffer.from([2]))), // version 3
    tag(0x02, Buffer.from([1, ++serial & 0xff])), // serial number
    algorithm,
    nameOf(issuerName),
    sequence(utcTime(now - 60_000), utcTime(now + 3_600_000)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tag(0xa3, sequence(...extensions)),
  )
  const signature = createSign('sha256').update(body).sign(issuer.privateKey)
  const der = sequence(body, algorithm, tag(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function nameOf(commonName: string): Buffer {
  return sequence(tag(0x31, sequence(COMMON_NAME, tag(0x0c, Buffer.from(commonName)))))
}

function subjectAltName(names: readonly string[]): Buffer {
  const entries = names.map((name) =>
    isIPv4(name)
      ? tag(0x87, Buffer.from(name.split('.').map(Number)))
      : tag(0x82, Buffer.from(name)),
  )
  return sequence(SUBJECT_ALT_NAME, tag(0x04, sequence(...entries)))
}

function tag(type: number, content: Buffer): Buffer {
  const { length } = content
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([type, ...size]), content])
}

function sequence(...parts: Buffer[]): Buffer {
  return tag(0x30, Buffer.concat(parts))
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '')
  return tag(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
}

const ECDSA_WITH_SHA256 = tag(0x06, Buffer.from('2a8648ce3d040302', 'hex')) // 1.2.840.10045.4.3.2
const COMMON_NAME = tag(0x06, Buffer.from('550403', 'hex')) // 2.5.4.3
const BASIC_CONSTRAINTS = tag(0x06, Buffer.from('551d13', 'hex')) // 2.5.29.19
const TRUE = tag(0x01, Buffer.from([0xff]))
const SUBJECT_ALT_NAME = tag(0x06, Buffer.from('551d11', 'hex')) // 2.5.29.17
