import { BridgeError } from '../errors.ts'
import type { ServerOptions } from '../options.ts'
import type { Policy, Stated } from './read.ts'

/** What a line of a policy means for a start. */
export interface Ruling {
  readonly rule: keyof Policy
  readonly verdict: 'allowed' | 'refused' | 'applied'
  readonly file: string
  readonly line: number
  /** One sentence for people. */
  readonly message: string
}

/** Every rule that concerns a start, and the line that decided; for explanations. */
export function judge(policy: Policy, options: ServerOptions): readonly Ruling[] {
  const { allowedServers, requiredStore, forbiddenFlags, pinnedCa } = policy
  const { url, auth, store, given } = options
  const rulings: Ruling[] = []
  const rule = (
    name: keyof Policy,
    verdict: Ruling['verdict'],
    { file, line }: Stated<unknown>,
    message: string,
  ): void => {
    rulings.push({ rule: name, verdict, file, line, message })
  }
  if (allowedServers !== undefined) {
    const found = allowedServers.value.find(({ value }) => covers(value, url))
    if (found === undefined) {
      rule('allowedServers', 'refused', allowedServers, `${url.origin} is no server it allows`)
    } else rule('allowedServers', 'allowed', found, `${url.origin} is a server it allows`)
  }
  for (const issuer of [auth.issuer, auth.idp?.issuer]) {
    const ruling = issuer === undefined ? undefined : judgeIssuer(policy, issuer)
    if (ruling !== undefined) rulings.push(ruling)
  }
  if (requiredStore !== undefined) {
    const { value } = requiredStore
    const strict = value === 'keychain' && store === 'keychain-only'
    if (!given.includes('store')) {
      rule('requiredStore', 'applied', requiredStore, `sign-ins are kept in: ${value}`)
    } else if (store === value || strict) {
      rule('requiredStore', 'allowed', requiredStore, `--store ${store} is what it wants`)
    } else rule('requiredStore', 'refused', requiredStore, `--store must be ${value}`)
  }
  for (const flag of forbiddenFlags?.value ?? []) {
    if (given.includes(flag.value)) {
      rule('forbiddenFlags', 'refused', flag, `--${flag.value} is forbidden`)
    }
  }
  if (pinnedCa !== undefined) {
    const more = given.find((name) => name === 'ca' || name === 'use-system-ca')
    if (more === undefined) {
      rule('pinnedCa', 'applied', pinnedCa, `only the authorities in ${pinnedCa.value} are trusted`)
    } else rule('pinnedCa', 'refused', pinnedCa, `--${more} would trust other authorities`)
  }
  return rulings
}

/** What a policy says about an authorization server; `undefined` when it says nothing. */
export function judgeIssuer({ allowedIssuers }: Policy, issuer: string): Ruling | undefined {
  if (allowedIssuers === undefined) return undefined
  const found = allowedIssuers.value.find(({ value }) => bare(value) === bare(issuer))
  const { file, line } = found ?? allowedIssuers
  return found === undefined
    ? {
        rule: 'allowedIssuers',
        verdict: 'refused',
        file,
        line,
        message: `${issuer} is no issuer it allows`,
      }
    : {
        rule: 'allowedIssuers',
        verdict: 'allowed',
        file,
        line,
        message: `${issuer} is an issuer it allows`,
      }
}

/** The options as the policy wants them; throws `BridgeError` for a start that it does not allow. */
export function govern(policy: Policy, options: ServerOptions): ServerOptions {
  const refused = judge(policy, options).find(({ verdict }) => verdict === 'refused')
  if (refused !== undefined) {
    throw new BridgeError('policy', refusalOf(refused), {
      hint: 'Ask the administrator of this machine.',
    })
  }
  const { requiredStore, pinnedCa } = policy
  const store =
    requiredStore === undefined || options.given.includes('store')
      ? options.store
      : requiredStore.value
  const network =
    pinnedCa === undefined ? options.network : { ...options.network, pinnedCaFile: pinnedCa.value }
  return { ...options, store, network }
}

/** A refusal as people read it, with the file and the line. */
export function refusalOf({ message, file, line }: Ruling): string {
  return `The policy of this machine does not allow it: ${message} (${file}, line ${line}).`
}

/** Whether an entry of the policy means this server. */
function covers(entry: string, { origin, protocol, host }: URL): boolean {
  if (!entry.includes('://*.')) return entry === origin
  const [scheme, below] = entry.split('//*')
  return scheme === protocol && host.endsWith(below!)
}

function bare(issuer: string): string {
  return issuer.replace(/\/$/, '')
}
