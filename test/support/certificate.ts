import { createSign, generateKeyPairSync } from 'node:crypto'

/** A key and the certificate that it signed for itself. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/**
 * A self-signed certificate for 127.0.0.1 and localhost, valid for an hour (RFC 5280 in DER). Made
 * anew for each run: no private key lies in the repository, and none expires there.
 */
export function makeCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const algorithm = sequence(ECDSA_WITH_SHA256)
  const name = sequence(tag(0x31, sequence(COMMON_NAME, tag(0x0c, Buffer.from('localhost')))))
  const now = Date.now()
  const validity = sequence(utcTime(now - 60_000), utcTime(now + 3_600_000))
  const names = sequence(
    tag(0x87, Buffer.from([127, 0, 0, 1])),
    tag(0x82, Buffer.from('localhost')),
  )
  const extensions = tag(0xa3, sequence(sequence(SUBJECT_ALT_NAME, tag(0x04, names))))
  const body = sequence(
    tag(0xa0, tag(0x02, Buffer.from([2]))), // version 3
    tag(0x02, Buffer.from([1])), // serial number
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions,
  )
  const signature = createSign('sha256').update(body).sign(privateKey)
  const der = sequence(body, algorithm, tag(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  }
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
const SUBJECT_ALT_NAME = tag(0x06, Buffer.from('551d11', 'hex')) // 2.5.29.17
