import { readFileSync, statSync } from 'node:fs'
import { BridgeError } from '../errors.ts'
import { items, locate, members } from '../json/locate.ts'
import type { Span } from '../json/scanner.ts'
import { MAX_POLICY_BYTES } from '../limits.ts'
import { isAbsent, type PolicyPlaces } from './places.ts'

/** A value of a policy, and the line that it stands on. */
export interface Stated<T> {
  readonly value: T
  readonly file: string
  /** Counted from 1. */
  readonly line: number
}

/** What an administrator wants. Of two files the machine's decides, rule by rule. */
export interface Policy {
  /** Origins of MCP servers; `https://*.example.com` stands for every host below it. */
  readonly allowedServers?: Stated<readonly Stated<string>[]>
  /** Issuers of authorization servers and identity providers. */
  readonly allowedIssuers?: Stated<readonly Stated<string>[]>
  readonly requiredStore?: Stated<(typeof STORES)[number]>
  /** Names of options, without the dashes; also when they are set by an environment variable. */
  readonly forbiddenFlags?: Stated<readonly Stated<string>[]>
  /** A PEM file: the only certificate authorities that are trusted. */
  readonly pinnedCa?: Stated<string>
}

const STORES = ['file', 'keychain', 'keychain-only'] as const

/** Where in which file, for messages. */
interface Place {
  readonly file: string
  readonly text: Buffer
}

/** The shape of each rule. */
const RULES: {
  readonly [Name in keyof Policy]-?: (
    place: Place,
    span: Span,
    flags: readonly string[],
  ) => NonNullable<Policy[Name]>['value']
} = {
  allowedServers: (place, span) => texts(place, span, refuseNonOrigin),
  allowedIssuers: (place, span) => texts(place, span, refuseNonUrl),
  requiredStore(place, span) {
    const store = STORES.find((name) => name === word(place, span))
    return store ?? refuse(place, span, `one of ${STORES.join(', ')} is wanted`)
  },
  forbiddenFlags: (place, span, flags) =>
    texts(place, span, (name, complain) => {
      if (!flags.includes(name)) complain(`there is no option --${name}`)
    }),
  pinnedCa: (place, span) => word(place, span),
}

/**
 * Reads the policies of this machine and this user. Throws `BridgeError` for one that cannot be read
 * or understood: a policy that is not followed because of a typing error would be none.
 *
 * @param flags the names of all options
 */
export function readPolicy({ machine, user }: PolicyPlaces, flags: readonly string[]): Policy {
  return { ...readOne(user, flags), ...readOne(machine, flags) }
}

function readOne(file: string, flags: readonly string[]): Policy {
  if (isAbsent(file)) return {}
  const place = { file, text: contentOf(file) }
  const { text } = place
  const root = locate(text)!
  if (text[root.start] !== 0x7b) refuse(place, root, 'an object is wanted')
  const policy: Record<string, Stated<unknown>> = {}
  for (const { name, start, value } of members(text, root)) {
    const rule = Object.hasOwn(RULES, name) ? RULES[name as keyof Policy] : undefined
    const at = { start, end: start }
    if (rule === undefined) {
      refuse(place, at, `${JSON.stringify(name)} is no rule; known are ${known()}`)
    }
    if (Object.hasOwn(policy, name)) refuse(place, at, `a second ${name}`)
    policy[name] = { value: rule(place, value, flags), file, line: lineOf(place, start) }
  }
  return policy as Policy
}

function known(): string {
  return Object.keys(RULES).join(', ')
}

function contentOf(file: string): Buffer {
  let text: Buffer
  try {
    const { size } = statSync(file)
    if (size > MAX_POLICY_BYTES)
      throw invalid(file, 1, `it has more than ${MAX_POLICY_BYTES} bytes`)
    text = readFileSync(file)
  } catch (cause) {
    if (cause instanceof BridgeError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw new BridgeError('policy', `The policy ${file} cannot be read (${code}).`, { cause })
  }
  try {
    JSON.parse(text.toString('utf8'))
  } catch (cause) {
    // Node says where only in words; without them it is the whole file that is meant.
    const at = Number(/position (\d+)/.exec((cause as Error).message)?.[1] ?? text.length)
    throw invalid(file, lineOf({ file, text }, at), 'it is not JSON')
  }
  return text
}

function word(place: Place, span: Span): string {
  const value: unknown = JSON.parse(place.text.toString('utf8', span.start, span.end))
  return typeof value === 'string' && value !== '' ? value : refuse(place, span, 'a text is wanted')
}

function texts(
  place: Place,
  span: Span,
  check: (value: string, complain: (why: string) => never) => void,
): readonly Stated<string>[] {
  const { file, text } = place
  if (text[span.start] !== 0x5b) refuse(place, span, 'a list of texts is wanted')
  return [...items(text, span)].map((item) => {
    const value = word(place, item)
    check(value, (why) => refuse(place, item, why))
    return { value, file, line: lineOf(place, item.start) }
  })
}

function refuseNonOrigin(value: string, complain: (why: string) => never): void {
  const plain = value.replace('://*.', '://any.')
  if (!URL.canParse(plain) || new URL(plain).origin !== plain || value.split('*').length > 2) {
    complain(`${JSON.stringify(value)} is no origin; one looks like https://mcp.example.com`)
  }
}

function refuseNonUrl(value: string, complain: (why: string) => never): void {
  if (!URL.canParse(value)) complain(`${JSON.stringify(value)} is no URL`)
}

function lineOf({ text }: Place, offset: number): number {
  let line = 1
  for (let at = text.indexOf(10); at !== -1 && at < offset; at = text.indexOf(10, at + 1)) line++
  return line
}

function refuse(place: Place, { start }: Span, why: string): never {
  throw invalid(place.file, lineOf(place, start), why)
}

function invalid(file: string, line: number, why: string): BridgeError {
  return new BridgeError('policy', `The policy ${file} is not valid: line ${line}: ${why}.`, {
    hint: 'Nothing is started under a policy that is not understood.',
  })
}
