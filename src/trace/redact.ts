import { createHmac, randomBytes } from 'node:crypto'
import type { SecretKind } from '../secrets.ts'

/**
 * Masks the secrets in a piece of a trace. Text is one character per byte (latin1): a trace is masked
 * on the way to the disk, in large pieces, and never decoded for it.
 */
export type Redact = (text: string) => string

/** What begins and ends a mask, ‹ and ›, as bytes. */
const OPEN = Buffer.from('‹').toString('latin1')
const CLOSE = Buffer.from('›').toString('latin1')

/** A value that consists of its mask, with the scheme that says how it was sent. */
const MASKED = new RegExp(`^(?:[A-Za-z]+ +)?${OPEN}[a-z]+(?::[0-9a-f]{8})?${CLOSE}$`)

/** Members, headers and parameters whose values are secrets, whoever wrote them. */
const NAMES = [
  'access[-_]?token',
  'refresh[-_]?token',
  'id[-_]?token',
  'registration[-_]?access[-_]?token',
  'auth[-_]?token',
  'bearer[-_]?token',
  'token',
  'client[-_]?secret',
  'client[-_]?assertion',
  'assertion',
  'secret',
  'secret[-_]?key',
  'code[-_]?verifier',
  'device[-_]?code',
  'passwd',
  'password',
  'passphrase',
  'api[-_]?key',
  'x-api-key',
  'private[-_]?key',
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'mcp-session-id',
  'session[-_]?id',
].join('|')

/** Parameters that are secrets in a URL only: as members they are common words. */
const URL_NAMES = `${NAMES}|code|state|user[-_]?code|session|sid|key|sig|signature|ticket|auth|jwt|pwd`

/**
 * `"name": "value"`, also inside a JSON text that is a string itself: then the quotes have
 * backslashes, and so has what ends the value. A value without end was cut.
 */
const MEMBER = new RegExp(`("(?:${NAMES})"\\s*:\\s*")((?:[^"\\\\]|\\\\[^])*)`, 'gi')
const NESTED_MEMBER = new RegExp(
  `(\\\\+"(?:${NAMES})\\\\+"\\s*:\\s*\\\\+")((?:[^"\\\\]|\\\\+[^"\\\\])+)`,
  'gi',
)

/** A parameter of a query, a fragment or a form; Go writes `&` as an escape inside JSON. */
const PARAMETER = new RegExp(`([?&#;]|\\\\u0026)((?:${URL_NAMES})=)([^&#\\s"'<>\\\\]+)`, 'gi')

/** `user:password@` of a URL (RFC 3986 §3.2.1). */
const USER_INFO = /(:\/\/[^\s"'/?#@:\\]*:)([^\s"'/?#@\\]+)(?=@)/g

/** A scheme and its credentials (RFC 9110 §11.4); a challenge has parameters there, which are none. */
const CREDENTIALS = /\b((?:Bearer|Basic|DPoP) +)(?![A-Za-z_]+=\\?")([\w.~+/=-]{16,})/gi

/** A header as text, also inside a string: `Set-Cookie: a=b`. */
const HEADER_LINE =
  /\b((?:set-cookie|cookie|x-api-key|mcp-session-id|proxy-authorization|authorization): *)([^"\\\r\n]+)/gi

/** Three or more base64url parts of which the first is a JSON object: JWS and JWE compact (RFC 7515 §3.1). */
const JWT = /\beyJ[\w-]{8,}(?:\.[\w-]*){2,4}/g

/** Keys that say themselves what they are. */
const MARKED =
  /\b(?:gh[opsur]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|AKIA[0-9A-Z]{16})/g
const PRIVATE_KEY =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|"|$)/g

/** Escapes that can hide a value: all others stand for characters that no secret has. */
const HIDING = /\\(?:\/|u00[2-7])/
const STRING = /"(?:[^"\\]|\\[^])*"/g

/** A secret as it may stand in a text, and what is written instead. */
interface Spelling {
  readonly text: string
  readonly mask: string
}

/**
 * Masks by value (every secret in `known`, however JSON and URLs spell it) and by place (members,
 * headers and parameters with telling names, credentials, JWTs). A mask has a fingerprint, an HMAC under
 * a key that is made here and written nowhere: the same value has the same mask all over one trace,
 * and nobody can try passwords against a file that was posted in public.
 */
export function createRedactor(
  known: () => ReadonlyMap<string, SecretKind>,
  key: Buffer = randomBytes(32),
): Redact {
  let spellings: readonly Spelling[] = []
  let last: string | undefined
  let count = -1

  const mask = (kind: SecretKind, value: string): string => {
    const print = createHmac('sha256', key).update(value).digest('hex').slice(0, 8)
    return `${OPEN}${kind}:${print}${CLOSE}`
  }

  /** Longest first: a header value goes before the token that is part of it. */
  function update(): void {
    const map = known()
    const newest = [...map.keys()].at(-1)
    if (map.size === count && newest === last) return
    count = map.size
    last = newest
    spellings = [...map]
      .flatMap(([value, kind]) => {
        const instead = mask(kind, value)
        return spellingsOf(value).map((text) => ({ text, mask: instead }))
      })
      .sort((a, b) => b.text.length - a.text.length)
  }

  function byValue(text: string): string {
    let masked = text
    for (const { text: secret, mask: instead } of spellings) {
      if (masked.includes(secret)) masked = masked.replaceAll(secret, instead)
    }
    if (!HIDING.test(masked)) return masked
    return masked.replaceAll(STRING, (string) => {
      if (!HIDING.test(string)) return string
      const value = decoded(string)
      const found = spellings.find(({ text: secret }) => value.includes(secret))
      return found === undefined ? string : `"${found.mask}"`
    })
  }

  /** A value that stands where a secret is expected; one that is masked already stays. */
  const value = (kind: SecretKind, found: string): string =>
    found === '' || MASKED.test(found) ? found : mask(kind, decoded(`"${found}"`))

  const place =
    (kind: SecretKind) =>
    (_: string, before: string, found: string): string =>
      before + value(kind, found)

  return (text) => {
    update()
    return byValue(text)
      .replaceAll(MEMBER, place('secret'))
      .replaceAll(NESTED_MEMBER, place('secret'))
      .replaceAll(
        PARAMETER,
        (_, mark: string, name: string, found: string) => mark + name + value('secret', found),
      )
      .replaceAll(USER_INFO, place('password'))
      .replaceAll(CREDENTIALS, place('token'))
      .replaceAll(HEADER_LINE, place('header'))
      .replaceAll(JWT, (found) => mask('token', found))
      .replaceAll(MARKED, (found) => mask('token', found))
      .replaceAll(PRIVATE_KEY, (found) => mask('secret', found) + (found.endsWith('"') ? '"' : ''))
  }
}

/** A value as bytes, as JSON writes it, as a URL writes it. */
function spellingsOf(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1)
  const nested = JSON.stringify(json).slice(1, -1)
  const texts = [value, json, nested]
  try {
    texts.push(encodeURIComponent(value), new URLSearchParams({ '': value }).toString().slice(1))
  } catch {
    // Half a surrogate pair has no place in a URL.
  }
  return [...new Set(texts)].map((text) => Buffer.from(text).toString('latin1'))
}

/** The value of a JSON string; of one that is none, its source. */
function decoded(source: string): string {
  if (!source.includes('\\')) return source.slice(1, -1)
  try {
    return JSON.parse(source) as string
  } catch {
    return source.slice(1, -1)
  }
}
