import type { PendingFlow, ServerRecord, StoredIssuer, StoredTokens } from '../store/record.ts'
import type { ServerMetadata } from '../store/server-metadata.ts'
import { covers } from './scopes.ts'

/** What a sign-in is needed for. */
export interface Need {
  /** The access token that was refused, if one was sent. */
  readonly refused: string | undefined
  /** The scopes that are missing, when that is why. */
  readonly scope: string | undefined
}

/** The tokens in use. */
export function currentTokens(record: ServerRecord): StoredTokens | undefined {
  return record.current === undefined ? undefined : record.issuers[record.current]?.tokens
}

/** Tokens that another process has put there in the meantime and that help. */
export function helpfulTokens(
  record: ServerRecord,
  { refused, scope }: Need,
  now: number,
): StoredTokens | undefined {
  const tokens = currentTokens(record)
  if (tokens === undefined || tokens.accessToken === refused) return undefined
  if (tokens.expiresAt !== undefined && tokens.expiresAt <= now) return undefined
  return covers(tokens.scope, scope) ? tokens : undefined
}

/** The record with something that is bound to an issuer. */
export function withIssuer(
  record: ServerRecord,
  issuer: string,
  change: Partial<StoredIssuer> & Pick<StoredIssuer, 'metadata'>,
): ServerRecord {
  const known = record.issuers[issuer]
  return { ...record, issuers: { ...record.issuers, [issuer]: { ...known, ...change } } }
}

/** The record with new tokens, and without the sign-in that brought them. */
export function withTokens(
  record: ServerRecord,
  issuer: string,
  metadata: ServerMetadata,
  tokens: StoredTokens,
  more: Partial<StoredIssuer> = {},
): ServerRecord {
  const { pending: _, failed: __, ...rest } = record
  const bound = tokens.proofKey !== undefined
  return { ...withIssuer(rest, issuer, { ...more, metadata, tokens, bound }), current: issuer }
}

/** The record with a sign-in that waits for a person. */
export function withPending(
  record: ServerRecord,
  metadata: ServerMetadata,
  pending: PendingFlow,
): ServerRecord {
  const { failed: _, ...rest } = record
  const client = pending.registered ? { client: pending.client } : {}
  return { ...withIssuer(rest, pending.issuer, { metadata, ...client }), pending }
}

/** The record after a sign-in that failed. */
export function withFailure(
  record: ServerRecord,
  id: string,
  failure: { readonly message: string; readonly hint: string | undefined },
): ServerRecord {
  if (record.pending?.id !== id) return record
  const { pending: _, ...rest } = record
  return { ...rest, failed: { id, message: failure.message, hint: failure.hint } }
}

/** The record without the tokens of an issuer, and without its client when that is dead too. */
export function withoutTokens(
  record: ServerRecord,
  issuer: string,
  what: 'tokens' | 'tokens and client',
): ServerRecord {
  const known = record.issuers[issuer]
  if (known === undefined) return record
  const { tokens: _, client, ...rest } = known
  const kept: StoredIssuer = what === 'tokens' && client !== undefined ? { ...rest, client } : rest
  return { ...record, issuers: { ...record.issuers, [issuer]: kept } }
}
