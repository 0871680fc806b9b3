import type { ServerRecord } from '../store/record.ts'
import type { AuthContext } from './context.ts'
import type { Discovery } from './discover.ts'
import { generateProofKey, PROOF_ALG, type ProofKey } from './dpop.ts'
import { AuthFailure } from './failure.ts'

/** Whether tokens that are bound to a key are asked for, or nothing else is taken. */
export type Binding = 'asked' | 'required'

/** A key for tokens that are being asked for. */
export interface Bind {
  readonly key: ProofKey
  /** Whether a token that is not bound to it is refused. */
  readonly required: boolean
}

/**
 * Whether to ask for bound tokens (RFC 9449 §5): when the authorization server makes them and the
 * MCP server wants them, by its challenge or by its metadata; always for an account whose tokens were
 * bound before, so that nobody in between can talk us into weaker ones.
 *
 * @param challenged whether the server's challenge is of the scheme `DPoP`
 */
export function bindingFor(
  { options }: AuthContext,
  { issuer, metadata, resource }: Discovery,
  record: ServerRecord,
  challenged: boolean,
): Binding | undefined {
  if (options.dpop === 'off') return undefined
  if (record.issuers[issuer]?.bound === true) return 'required'
  const made = metadata.dpop_signing_alg_values_supported?.includes(PROOF_ALG) === true
  if (options.dpop === 'required') {
    if (made) return 'required'
    throw new AuthFailure('refused', `${issuer} does not bind tokens to a key (DPoP, ES256).`, {
      hint: 'Leave --dpop required out to go on without.',
    })
  }
  if (!made) return undefined
  if (resource?.dpop_bound_access_tokens_required === true) return 'required'
  const wanted = challenged || (resource?.dpop_signing_alg_values_supported?.length ?? 0) > 0
  return wanted ? 'asked' : undefined
}

/** A new key for tokens that are to be bound. */
export function bindAnew(binding: Binding | undefined): Bind | undefined {
  return binding && { key: generateProofKey(), required: binding === 'required' }
}
