import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** The parts of a JWT, decoded. */
export interface Jwt {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

const SIGNING = { dsaEncoding: 'ieee-p1363' } as const

/** A JWT signed with a P-256 key. */
export function signJwt(header: object, claims: object, key: KeyObject): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${encode({ alg: 'ES256', ...header })}.${encode(claims)}`
  return `${text}.${sign('sha256', Buffer.from(text), { key, ...SIGNING }).toString('base64url')}`
}

/** Reads a JWT; throws when its signature is not of the key, or not of the one in its own header. */
export function readJwt(text: string, key?: KeyObject): Jwt {
  const [first = '', second = '', third = ''] = text.split('.')
  const decode = (part: string): Jwt['claims'] =>
    JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Jwt['claims']
  const header = decode(first)
  const own = key ?? createPublicKey({ key: header['jwk'] as never, format: 'jwk' })
  const signed = Buffer.from(`${first}.${second}`)
  if (!verify('sha256', signed, { key: own, ...SIGNING }, Buffer.from(third, 'base64url'))) {
    throw new Error('the signature does not fit')
  }
  return { header, claims: decode(second) }
}
