import { FOLLOW_POLL_MS } from '../limits.ts'
import { pause } from '../pause.ts'
import type { PendingFlow, ServerRecord, StoredTokens } from '../store/record.ts'
import type { ServerMetadata } from '../store/server-metadata.ts'
import { bindingFor } from './binding.ts'
import { adoptCodeFlow, openCodeFlow, runCodeFlow } from './code-sign-in.ts'
import type { AuthContext } from './context.ts'
import { openDeviceFlow, runDeviceFlow } from './device-sign-in.ts'
import type { Discovery } from './discover.ts'
import { AuthFailure, expected } from './failure.ts'
import { closing, createLead, type Lead, type SignInRequest, timedOut } from './lead.ts'
import { isOurs } from './held.ts'
import { helpfulTokens, withFailure, withIssuer, withoutTokens, withPending } from './ledger.ts'
import { announce, checkLink, mayOpenTab, surroundingsOf } from './present.ts'
import { type Asked, whatToAsk } from './request.ts'
import { covers } from './scopes.ts'

/** Gets tokens with the help of a person, who is asked by one process at a time. */
export async function signIn(
  context: AuthContext,
  request: SignInRequest,
  show: (flow: PendingFlow | undefined) => void,
): Promise<StoredTokens> {
  const { store, options, signal, now } = context
  const deadline = now() + options.timeoutMs
  let followed: string | undefined
  try {
    for (;;) {
      const lock = await store.signInLock()
      const record = await store.read()
      try {
        const tokens = helpfulTokens(record, request, now())
        if (tokens !== undefined && isOurs(tokens, options)) return tokens
        const { failed } = record
        if (failed !== undefined && failed.id === followed) {
          throw new AuthFailure('refused', failed.message, { hint: failed.hint })
        }
        if (lock !== undefined || insistsOnDevice(context, record)) {
          return await lead(context, request, record, show)
        }
      } finally {
        await lock?.release()
      }
      if (options.attended && record.pending !== undefined && record.pending.id !== followed) {
        announce(context, record.pending, options.browser)
      }
      followed = record.pending?.id ?? followed
      show(record.pending)
      if (now() > deadline) throw timedOut(options.timeoutMs)
      if (signal.aborted) throw closing()
      await pause(FOLLOW_POLL_MS, signal)
    }
  } finally {
    show(undefined)
  }
}

/** A person who asks for a code on another device cannot use the page that waits elsewhere. */
function insistsOnDevice({ options }: AuthContext, { pending }: ServerRecord): boolean {
  return options.attended && options.grant === 'device_code' && pending?.kind === 'code'
}

async function lead(
  context: AuthContext,
  request: SignInRequest,
  record: ServerRecord,
  show: (flow: PendingFlow | undefined) => void,
): Promise<StoredTokens> {
  const { options } = context
  const us = createLead(context, request)
  const adopted = await adopt(us, record, request)
  if (adopted !== undefined) {
    return conduct(context, adopted, options.attended && options.browser, show)
  }
  let opened = false
  for (let attempt = 0; ; attempt++) {
    const before = await context.store.read()
    const started = await start(us, request, before)
    const { flow, metadata } = started
    const fresh =
      opened || request.insist || options.attended || mayOpenTab(context, before, flow.scope)
    const openTab = fresh && options.browser
    await begin(context, flow, metadata, openTab)
    try {
      return await conduct(context, started, openTab, show)
    } catch (error) {
      if (context.signal.aborted) throw closing()
      const failure = expected(error)
      // A dead registration and a refused parameter are seen only now; both can be put right.
      if (attempt > 0 || !(await repaired(context, started, failure))) {
        await leaveFailure(context, flow, failure)
        throw error
      }
      opened = true
    }
  }
}

/** Shows the sign-in and sees it through. */
async function conduct(
  context: AuthContext,
  { flow, run }: Started,
  openTab: boolean,
  show: (flow: PendingFlow) => void,
): Promise<StoredTokens> {
  // Listening first: a page that asks nothing comes back at once.
  const running = run()
  show(flow)
  announce(context, flow, openTab)
  return running
}

/** A sign-in that is ready to be shown to a person. */
interface Started {
  readonly flow: PendingFlow
  readonly metadata: ServerMetadata
  run(): Promise<StoredTokens>
}

/** The sign-in of a process that is gone, when a person may still be looking at its page. */
async function adopt(
  us: Lead,
  { pending, issuers }: ServerRecord,
  request: SignInRequest,
): Promise<Started | undefined> {
  const { context } = us
  const metadata = pending === undefined ? undefined : issuers[pending.issuer]?.metadata
  if (pending === undefined || metadata === undefined) return undefined
  const end = pending.kind === 'device' ? pending.expiresAt : undefined
  const until = end ?? pending.startedAt + context.options.timeoutMs
  if (until <= context.now() || !covers(pending.scope, request.scope)) return undefined
  const { client, grant, paste } = context.options
  // What the user wants now may be what the last one could not do.
  if (pending.kind === 'code' ? grant === 'device_code' : paste) return undefined
  if (client !== undefined && client.clientId !== pending.client.clientId) return undefined
  if (pending.kind === 'device') {
    const run = (): Promise<StoredTokens> => runDeviceFlow(us, pending, metadata)
    return { flow: pending, metadata, run }
  }
  const open = await adoptCodeFlow(us, pending, metadata)
  if (open === undefined) return undefined
  return { flow: pending, metadata, run: () => runCodeFlow(us, open) }
}

async function start(us: Lead, request: SignInRequest, record: ServerRecord): Promise<Started> {
  const { context } = us
  const { issuers, current } = record
  const known = [...(current === undefined ? [] : [current]), ...Object.keys(issuers)]
  const discovery = await context.find(request.hinted, known)
  const asked = {
    ...whatToAsk(context, discovery, record, request.challenged, us.stepUp),
    binding: bindingFor(context, discovery, record, request.dpop),
  }
  return byDevice(context, discovery)
    ? startDevice(us, discovery, record, asked)
    : startCode(us, discovery, record, asked)
}

/** By another device when the user wants it, or when nobody could see a browser here. */
function byDevice(context: AuthContext, { metadata }: Discovery): boolean {
  if (context.options.grant === 'device_code') return true
  if (context.options.paste) return false
  const offered = metadata.device_authorization_endpoint !== undefined
  return offered && !surroundingsOf(context).display
}

async function startDevice(
  us: Lead,
  discovery: Discovery,
  record: ServerRecord,
  asked: Asked,
): Promise<Started> {
  const { metadata } = discovery
  const flow = await openDeviceFlow(us, discovery, record, asked)
  checkLink(flow.link, us.context)
  return { flow, metadata, run: () => runDeviceFlow(us, flow, metadata) }
}

async function startCode(
  us: Lead,
  discovery: Discovery,
  record: ServerRecord,
  asked: Asked,
): Promise<Started> {
  const open = await openCodeFlow(us, discovery, record, asked)
  const { flow, metadata } = open
  return { flow, metadata, run: () => runCodeFlow(us, open) }
}

async function begin(
  { store, now }: AuthContext,
  flow: PendingFlow,
  metadata: ServerMetadata,
  openTab: boolean,
): Promise<void> {
  await store.exclusive(({ record, save }) => {
    const tab = openTab ? { tab: { openedAt: now(), scope: flow.scope } } : {}
    return save({ ...withPending(record, metadata, flow), ...tab })
  })
}

/** The others that wait for this sign-in say the same and do not ask the person again. */
async function leaveFailure(
  { store }: AuthContext,
  { id }: PendingFlow,
  { message, hint }: AuthFailure,
): Promise<void> {
  await store.exclusive(({ record, save }) => save(withFailure(record, id, { message, hint })))
}

/** Puts right what another attempt would fail of as well. */
async function repaired(
  { store, options, log }: AuthContext,
  { flow, metadata }: Started,
  { kind }: AuthFailure,
): Promise<boolean> {
  const { issuer } = flow
  if (kind === 'resource' && flow.resource !== undefined && options.resource === undefined) {
    log.warn(`${issuer} refuses the resource parameter; it is left out from now on`)
    await store.exclusive(({ record, save }) =>
      save(withIssuer(record, issuer, { metadata, refusesResource: true })),
    )
    return true
  }
  if (kind !== 'client' || !flow.registered) return false
  log.warn(`${issuer} does not know this client any more; it is registered again`)
  await store.exclusive(({ record, save }) =>
    save(withoutTokens(record, issuer, 'tokens and client')),
  )
  return true
}
