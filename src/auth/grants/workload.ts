import type { StoredTokens } from '../../store/record.ts'
import type { AuthContext } from '../context.ts'
import type { Discovery } from '../discover.ts'
import type { TokenSource } from '../enterprise-options.ts'
import { AuthFailure, expected } from '../failure.ts'
import type { Asked } from '../request.ts'
import { readToken } from '../token-source.ts'
import { byAssertion } from './jwt-bearer.ts'

/**
 * Gets tokens with the platform's token, which is read anew each time (SEP-1933). A refusal is final:
 * the same token is not shown again, and no other grant is tried.
 */
export async function asWorkload(
  context: AuthContext,
  source: TokenSource,
  discovery: Discovery,
  asked: Asked,
): Promise<StoredTokens> {
  const { refusals } = context
  const assertion = await readToken(source, context)
  const before = refusals.of(assertion)
  if (before !== undefined) throw before
  try {
    return await byAssertion(context, discovery, asked, assertion, 'workload')
  } catch (error) {
    const { kind, message } = expected(error)
    if (kind === 'unreachable') throw error
    const failure = new AuthFailure('refused', `The workload is refused: ${message}`, {
      hint: 'The operator of the server decides which workloads it trusts; the audience of the token must be its authorization server.',
      cause: error,
    })
    refusals.remember(assertion, failure)
    throw failure
  }
}
