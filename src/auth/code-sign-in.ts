import { randomUUID } from 'node:crypto'
import type { PendingCode, ServerRecord, StoredTokens } from '../store/record.ts'
import type { ServerMetadata } from '../store/server-metadata.ts'
import type { AuthContext } from './context.ts'
import type { Discovery } from './discover.ts'
import { AuthFailure, expected } from './failure.ts'
import { beginCodeFlow, completeCodeFlow, requireCodeFlow } from './grants/authorization-code.ts'
import { identify, knownIdentity, storedClient } from './identity.ts'
import type { Callback } from './loopback.ts'
import {
  bindCallback,
  type CallbackHost,
  preferredHost,
  preferredPath,
  preferredPort,
} from './redirect.ts'
import type { Asked } from './request.ts'
import { persistently } from './retry.ts'
import type { Lead } from './lead.ts'

/** A sign-in whose browser page is open, or about to be. */
export interface OpenCodeFlow {
  readonly flow: PendingCode
  readonly metadata: ServerMetadata
  readonly callback: Callback
}

const OTHER: Readonly<Record<CallbackHost, CallbackHost>> = {
  '127.0.0.1': 'localhost',
  localhost: '127.0.0.1',
}

/** Binds, registers, builds the request: in this order, so that nobody else can have the port. */
export async function openCodeFlow(
  lead: Lead,
  discovery: Discovery,
  record: ServerRecord,
  asked: Asked,
): Promise<OpenCodeFlow> {
  const { context } = lead
  requireCodeFlow(context, discovery)
  const stored = storedClient(context, discovery, record)
  const host = preferredHost(context, stored)
  try {
    return await openAt(lead, discovery, record, asked, host)
  } catch (error) {
    const other = error instanceof AuthFailure && error.kind === 'redirect'
    if (!other || context.options.callbackHost !== undefined) throw error
    return openAt(lead, discovery, record, asked, OTHER[host])
  }
}

async function openAt(
  { context, stepUp }: Lead,
  discovery: Discovery,
  record: ServerRecord,
  asked: Asked,
  host: CallbackHost,
): Promise<OpenCodeFlow> {
  const { metadata, issuer, published } = discovery
  const stored = storedClient(context, discovery, record)
  const document = knownIdentity(context, discovery)?.source === 'document'
  const port = preferredPort(context, stored, document)
  const callback = await bindCallback(context, host, port, preferredPath(context, stored))
  try {
    const { redirectUri } = callback
    const { scope, resource, binding } = asked
    const device = metadata.device_authorization_endpoint !== undefined
    const purpose = { redirectUri, device, scope, trusted: stepUp }
    const identity = await identify(context, discovery, record, purpose)
    const { clientId } = identity.client
    const request = { clientId, redirectUri, scope, resource }
    const code = await beginCodeFlow(context, discovery, request)
    const flow: PendingCode = {
      ...code,
      id: randomUUID(),
      kind: 'code',
      startedAt: context.now(),
      issuer,
      published,
      bareCode: isBoundByPkce(discovery),
      client: identity.client,
      registered: identity.source === 'registered',
      scope,
      resource,
      binding,
    }
    return { flow, metadata, callback }
  } catch (error) {
    await callback.close()
    throw error
  }
}

/** Without a promise to check PKCE, and with an `iss` to check, the whole answer is needed. */
function isBoundByPkce({ metadata, published }: Discovery): boolean {
  const { code_challenge_methods_supported: methods } = metadata
  const sendsIssuer = metadata.authorization_response_iss_parameter_supported === true
  return published && methods?.includes('S256') === true && !sendsIssuer
}

/** Listens again where a process that is gone had listened; `undefined` when the port is taken. */
export async function adoptCodeFlow(
  { context }: Lead,
  flow: PendingCode,
  metadata: ServerMetadata,
): Promise<OpenCodeFlow | undefined> {
  const { hostname, port, pathname } = new URL(flow.redirectUri)
  const host = hostname === 'localhost' ? 'localhost' : '127.0.0.1'
  try {
    const callback = await bindCallback(context, host, Number(port), pathname)
    if (callback.redirectUri === flow.redirectUri) return { flow, metadata, callback }
    await callback.close()
  } catch (error) {
    expected(error)
  }
  return undefined
}

/** Waits for the browser, redeems the code, and only then tells the person how it went. */
export async function runCodeFlow(lead: Lead, open: OpenCodeFlow): Promise<StoredTokens> {
  const { flow, metadata, callback } = open
  try {
    const answer = await lead.answered(callback.answer(flow.state))
    let tokens: StoredTokens
    if (answer instanceof URLSearchParams) {
      tokens = await redeem(lead.context, open, answer)
      await lead.keep(flow, metadata, tokens)
    } else {
      tokens = answer
    }
    callback.finish({ ok: true, next: lead.context.options.successUrl })
    return tokens
  } catch (error) {
    if (error instanceof AuthFailure && !lead.context.signal.aborted) {
      const detail = error.hint === undefined ? error.message : `${error.message} ${error.hint}`
      callback.finish({ ok: false, title: 'The sign-in failed', detail })
    }
    throw error
  } finally {
    await callback.close()
  }
}

async function redeem(
  context: AuthContext,
  { flow, metadata }: OpenCodeFlow,
  answer: URLSearchParams,
): Promise<StoredTokens> {
  const complete = (attempt: PendingCode): Promise<StoredTokens> =>
    persistently(context.signal, () => completeCodeFlow(context, metadata, attempt, answer))
  try {
    return await complete(flow)
  } catch (error) {
    // Without a code it was the sign-in page that refused: there is nothing to redeem.
    const refused = error instanceof AuthFailure && error.kind === 'resource' && answer.has('code')
    if (!refused || flow.resource === undefined) throw error
    return complete({ ...flow, resource: undefined })
  }
}
