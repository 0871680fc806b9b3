import type { ServerRecord, StoredClient, StoredIssuer, StoredTokens } from '../store/record.ts'
import { bindingFor } from './binding.ts'
import type { AuthContext } from './context.ts'
import type { Discovery } from './discover.ts'
import { byIdentity } from './enterprise.ts'
import { AuthFailure, expected } from './failure.ts'
import { asClient } from './grants/client-credentials.ts'
import { refresh } from './grants/refresh.ts'
import { asWorkload } from './grants/workload.ts'
import { isOurs } from './held.ts'
import { knownIdentity } from './identity.ts'
import { importSignIn } from './import.ts'
import { currentTokens, helpfulTokens, withoutTokens, withTokens } from './ledger.ts'
import { type Asked, whatToAsk } from './request.ts'
import { joinScopes } from './scopes.ts'

/** A token that was got without a person, or why not. */
export type SilentOutcome =
  /** `fresh`: it was made just now, for us. */
  { readonly tokens: StoredTokens; readonly fresh: boolean } | 'needs-person'

/** What of a refusal helps to find the authorization server. */
export interface SilentHints {
  readonly refused: string | undefined
  readonly hinted: string | undefined
  readonly challenged: string | undefined
  /** Whether the server wants proofs with its tokens (DPoP). */
  readonly dpop: boolean
  /** The scopes that are missing, when that is why. */
  readonly scope?: string | undefined
}

/**
 * Gets a token without asking anybody, one process at a time: whoever has the lock looks first
 * whether another one has been faster, because a refresh token that is used twice is worth nothing
 * . Throws `AuthFailure` when it may work later.
 */
export async function renewSilently(
  context: AuthContext,
  hints: SilentHints,
): Promise<SilentOutcome> {
  const outcome = await context.store.exclusive<SilentOutcome>(async ({ record, save }) => {
    const other = helpful(context, record, hints)
    if (other !== undefined) return other
    if (isRepeatable(context.options.grant)) return again(context, record, hints, save)
    const imported = await importSignIn(context, record, hints.hinted)
    if (imported === undefined) return byRefreshToken(context, record, save)
    await save(imported)
    return helpful(context, imported, hints) ?? byRefreshToken(context, imported, save)
  })
  if (outcome !== undefined) return outcome
  throw new AuthFailure(
    'unreachable',
    'Another process is renewing the sign-in and does not finish.',
  )
}

/** What another process, or another program, has left for us. */
function helpful(
  { options, now }: AuthContext,
  record: ServerRecord,
  { refused, scope }: SilentHints,
): SilentOutcome | undefined {
  const tokens = helpfulTokens(record, { refused, scope }, now())
  if (tokens === undefined || !isOurs(tokens, options)) return undefined
  return { tokens, fresh: false }
}

type Save = (record: ServerRecord) => Promise<void>

async function byRefreshToken(
  context: AuthContext,
  record: ServerRecord,
  save: Save,
): Promise<SilentOutcome> {
  const { options, log } = context
  const tokens = currentTokens(record)
  const issuer = record.current
  const stored = issuer === undefined ? undefined : record.issuers[issuer]
  if (tokens?.refreshToken === undefined || issuer === undefined || stored === undefined) {
    return 'needs-person'
  }
  if (!isOurs(tokens, options)) return 'needs-person'
  const client = clientFor(context, issuer, stored, tokens)
  if (client === undefined) return 'needs-person'
  const { metadata } = stored

  async function attempt(resource: string | undefined): Promise<SilentOutcome> {
    const fresh = await refresh(context, stored!, client!, tokens!, resource)
    const refuses = resource === undefined && tokens!.resource !== undefined
    // Before anybody uses it: the old refresh token may be dead by now.
    await save(
      withTokens(record, issuer!, metadata, fresh, refuses ? { refusesResource: true } : {}),
    )
    return { tokens: fresh, fresh: true }
  }

  try {
    return await attempt(tokens.resource)
  } catch (error) {
    const failure = expected(error)
    switch (failure.kind) {
      case 'unreachable':
        throw failure
      case 'resource':
        if (tokens.resource === undefined || options.resource !== undefined) throw failure
        log.warn(`${issuer} refuses the resource parameter; it is left out from now on`)
        return attempt(undefined)
      case 'grant':
        await save(withoutTokens(record, issuer, 'tokens'))
        return 'needs-person'
      case 'client':
        if (options.client !== undefined) throw refusedClient(failure, options.client.clientId)
        await save(withoutTokens(record, issuer, 'tokens and client'))
        return 'needs-person'
      case 'redirect':
      case 'unanswered':
      case 'refused':
        return 'needs-person'
    }
  }
}

/** The client that the tokens belong to: a refresh token of one client is refused from any other. */
function clientFor(
  context: AuthContext,
  issuer: string,
  { client, metadata }: StoredIssuer,
  tokens: StoredTokens,
): StoredClient | undefined {
  if (client?.clientId === tokens.clientId) return client
  const discovery = { issuer, metadata, published: true, resource: undefined }
  const known = knownIdentity(context, discovery)?.client
  return known?.clientId === tokens.clientId ? known : undefined
}

/** Grants that are asked again instead of refreshed; the tokens of a person are not among them. */
type Repeatable = 'client_credentials' | 'enterprise' | 'workload'

function isRepeatable(grant: AuthContext['options']['grant']): grant is Repeatable {
  return grant !== 'authorization_code' && grant !== 'device_code'
}

/** Asks again: such a grant has no refresh token, and needs none. */
async function again(
  context: AuthContext,
  record: ServerRecord,
  { hinted, challenged, dpop, scope }: SilentHints,
  save: Save,
): Promise<SilentOutcome> {
  const tokens = currentTokens(record)
  const before = tokens?.grant === context.options.grant ? tokens : undefined
  const known = before === undefined ? undefined : record.current
  const metadata = known === undefined ? undefined : record.issuers[known]?.metadata
  const found: Discovery =
    known !== undefined &&
    metadata !== undefined &&
    (context.options.tokenEndpoint ?? metadata.token_endpoint) === metadata.token_endpoint
      ? { issuer: known, metadata, published: true, resource: undefined }
      : await discoverFor(context, record, hinted)
  const asked: Asked = {
    ...(before === undefined
      ? whatToAsk(context, found, record, challenged, false)
      : { scope: joinScopes(before.requested, scope), resource: before.resource }),
    binding: bindingFor(context, found, record, dpop),
  }
  const fresh = await byGrant(context, found, asked)
  if (fresh === undefined) return 'needs-person'
  await save(withTokens(record, found.issuer, found.metadata, fresh))
  return { tokens: fresh, fresh: true }
}

function byGrant(
  context: AuthContext,
  found: Discovery,
  asked: Asked,
): Promise<StoredTokens | undefined> {
  const { grant, workloadToken } = context.options
  if (grant === 'enterprise') return byIdentity(context, context.idp!, found, asked)
  if (grant === 'workload') return asWorkload(context, workloadToken!, found, asked)
  return asClient(context, found, asked)
}

async function discoverFor(
  { find, options, log }: AuthContext,
  record: ServerRecord,
  hinted: string | undefined,
): Promise<Discovery> {
  if (options.tokenEndpoint !== undefined) {
    const issuer = options.issuer ?? new URL(options.tokenEndpoint).origin
    const metadata = { issuer, token_endpoint: options.tokenEndpoint }
    return { issuer, metadata, published: false, resource: undefined }
  }
  if (options.issuer === undefined && options.grant === 'client_credentials') {
    // Otherwise the MCP server decides who is given the secret.
    log.warn('pass --issuer: without it the server decides who gets the credentials of the client')
  }
  return find(hinted, Object.keys(record.issuers))
}

function refusedClient(cause: AuthFailure, clientId: string): AuthFailure {
  return new AuthFailure('refused', `The client ${clientId} is refused: ${cause.message}`, {
    hint: 'Check --client-id and the secret or key that belongs to it.',
    cause,
  })
}
