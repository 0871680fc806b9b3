/** What a `Bearer` or `DPoP` challenge says (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1). */
export interface TokenChallenge {
  /** Whether the server takes tokens that are bound to a key. */
  readonly dpop: boolean
  /** Where the server publishes its protected resource metadata. */
  readonly resourceMetadata?: string | undefined
  /** The scopes that the refused request needs, separated by spaces. */
  readonly scope?: string | undefined
  readonly error?: string | undefined
  readonly errorDescription?: string | undefined
}

interface Scheme {
  readonly name: string
  readonly parameters: Map<string, string>
}

const SCHEMES: ReadonlySet<string> = new Set(['bearer', 'dpop'])

const SEPARATORS = /[\s,]*/y
const TOKEN = /[!#$%&'*+\-.^_`|~\w]+/y
const EQUALS = /\s*=\s*/y
const QUOTED = /"((?:[^"\\]|\\.)*)(?:"|$)/sy
/** Also what is no token: servers send URLs without quotes. */
const UNQUOTED = /[^\s,]*/y
const TOKEN68 = /\s+[\w\-.~+/]+=*\s*(?=,|$)/y

/**
 * The challenge for a token among the values of `WWW-Authenticate`, wherever it stands: one value may
 * hold several challenges, separated by the same comma as their parameters (RFC 9110 §11.6.1).
 */
export function tokenChallenge(values: readonly string[]): TokenChallenge | undefined {
  const found = values.flatMap(parseChallenges).filter(({ name }) => SCHEMES.has(name))
  if (found.length === 0) return undefined
  const parameter = (name: string): string | undefined => {
    const where = found.find(({ parameters }) => (parameters.get(name) ?? '') !== '')
    return where?.parameters.get(name)
  }
  return {
    dpop: found.some(({ name }) => name === 'dpop'),
    resourceMetadata: parameter('resource_metadata'),
    scope: parameter('scope'),
    error: parameter('error'),
    errorDescription: parameter('error_description'),
  }
}

/** A word before `=` is a parameter, any other word starts the next challenge. */
function parseChallenges(value: string): Scheme[] {
  const schemes: Scheme[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(value)
    if (match !== null) at = pattern.lastIndex
    return match
  }
  for (;;) {
    take(SEPARATORS)
    if (at === value.length) return schemes
    const word = take(TOKEN)?.[0].toLowerCase()
    if (word === undefined) {
      at++ // garbage: what follows it may still be a challenge
      continue
    }
    const scheme = schemes.at(-1)
    if (scheme !== undefined && take(EQUALS) !== null) {
      const quoted = take(QUOTED)
      const text = quoted?.[1]?.replaceAll(/\\(.)/gs, '$1') ?? take(UNQUOTED)![0]
      if (!scheme.parameters.has(word)) scheme.parameters.set(word, text)
      continue
    }
    schemes.push({ name: word, parameters: new Map() })
    take(TOKEN68)
  }
}
