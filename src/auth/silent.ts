import type { ServerRecord, StoredClient, StoredTokens } from '../store/record.ts'
import type { AuthContext } from './context.ts'
import { discover, type Discovery } from './discover.ts'
import { AuthFailure } from './failure.ts'
import { asClient } from './grants/client-credentials.ts'
import { refresh } from './grants/refresh.ts'
import { isOurs } from './held.ts'
import { knownIdentity } from './identity.ts'
import { importSignIn } from './import.ts'
import { clientOf, currentTokens, helpfulTokens, withoutTokens, withTokens } from './ledger.ts'
import { whatToAsk } from './request.ts'

/** A token that was got without a person, or why not. */
export type SilentOutcome =
  /** `fresh`: it was made just now, for us. */
  { readonly tokens: StoredTokens; readonly fresh: boolean } | 'needs-person'

/** What of a refusal helps to find the authorization server. */
export interface SilentHints {
  readonly refused: string | undefined
  readonly hinted: string | undefined
  readonly challenged: string | undefined
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
    if (context.options.grant === 'client_credentials')
      return byClient(context, record, hints, save)
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
  { refused }: SilentHints,
): SilentOutcome | undefined {
  const tokens = helpfulTokens(record, { refused, scope: undefined }, now())
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
  const client = clientFor(context, record, tokens)
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
    if (!(error instanceof AuthFailure)) throw error
    switch (error.kind) {
      case 'unreachable':
        throw error
      case 'resource':
        if (tokens.resource === undefined || options.resource !== undefined) throw error
        log.warn(`${issuer} refuses the resource parameter; it is left out from now on`)
        return attempt(undefined)
      case 'grant':
        await save(withoutTokens(record, issuer, 'tokens'))
        return 'needs-person'
      case 'client':
        if (options.client !== undefined) throw refusedClient(error, options.client.clientId)
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
  record: ServerRecord,
  tokens: StoredTokens,
): StoredClient | undefined {
  const registered = clientOf(record, tokens)
  if (registered !== undefined) return registered
  const issuer = record.current
  const metadata = issuer === undefined ? undefined : record.issuers[issuer]?.metadata
  if (issuer === undefined || metadata === undefined) return undefined
  const discovery = { issuer, metadata, published: true, resource: undefined }
  const known = knownIdentity(context, discovery)?.client
  return known?.clientId === tokens.clientId ? known : undefined
}

/** A client of its own asks again; it has no refresh token, and needs none. */
async function byClient(
  context: AuthContext,
  record: ServerRecord,
  { hinted, challenged }: SilentHints,
  save: Save,
): Promise<SilentOutcome> {
  const before = currentTokens(record)
  const known = before?.grant === 'client_credentials' ? record.current : undefined
  const metadata = known === undefined ? undefined : record.issuers[known]?.metadata
  const found: Discovery =
    known !== undefined &&
    metadata !== undefined &&
    before !== undefined &&
    (context.options.tokenEndpoint ?? metadata.token_endpoint) === metadata.token_endpoint
      ? { issuer: known, metadata, published: true, resource: undefined }
      : await discoverFor(context, record, hinted)
  const asked =
    before !== undefined && known !== undefined
      ? { scope: before.requested, resource: before.resource }
      : whatToAsk(context, found, record, challenged, false)
  const tokens = await asClient(context, found, asked)
  await save(withTokens(record, found.issuer, found.metadata, tokens))
  return { tokens, fresh: true }
}

async function discoverFor(
  { http, server, options, log }: AuthContext,
  record: ServerRecord,
  hinted: string | undefined,
): Promise<Discovery> {
  if (options.tokenEndpoint !== undefined) {
    const issuer = options.issuer ?? new URL(options.tokenEndpoint).origin
    const metadata = { issuer, token_endpoint: options.tokenEndpoint }
    return { issuer, metadata, published: false, resource: undefined }
  }
  if (options.issuer === undefined) {
    // Otherwise the MCP server decides who is given the secret.
    log.warn('pass --issuer: without it the server decides who gets the credentials of the client')
  }
  const preference = { issuer: options.issuer, known: Object.keys(record.issuers) }
  return discover(http, server, hinted, preference)
}

function refusedClient(cause: AuthFailure, clientId: string): AuthFailure {
  return new AuthFailure('refused', `The client ${clientId} is refused: ${cause.message}`, {
    hint: 'Check --client-id and the secret or key that belongs to it.',
    cause,
  })
}
