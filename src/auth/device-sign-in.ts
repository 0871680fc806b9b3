import { randomUUID } from 'node:crypto'
import type { PendingDevice, ServerRecord, StoredTokens } from '../store/record.ts'
import type { ServerMetadata } from '../store/server-metadata.ts'
import type { Discovery } from './discover.ts'
import { AuthFailure } from './failure.ts'
import { beginDeviceFlow, pollDeviceFlow } from './grants/device-code.ts'
import { identify, storedClient } from './identity.ts'
import { preferredHost, preferredPath, preferredPort } from './redirect.ts'
import type { Asked } from './request.ts'
import type { Lead } from './lead.ts'

/** Asks for the code that a person will enter elsewhere. */
export async function openDeviceFlow(
  { context, stepUp }: Lead,
  discovery: Discovery,
  record: ServerRecord,
  asked: Asked,
): Promise<PendingDevice> {
  const { metadata, issuer, published } = discovery
  if (metadata.device_authorization_endpoint === undefined) {
    throw new AuthFailure('refused', `${issuer} does not offer a sign-in by device code.`, {
      hint: 'Leave --device-code out.',
    })
  }
  const stored = storedClient(context, discovery, record)
  // Registrations have a redirect URI even when no browser comes back: it serves the next sign-in.
  const place = `${preferredHost(context, stored)}:${preferredPort(context, stored, false)}`
  const redirectUri = `http://${place}${preferredPath(context, stored)}`
  const purpose = { redirectUri, device: true, scope: asked.scope, trusted: stepUp }
  const { client, source } = await identify(context, discovery, record, purpose)
  return {
    ...(await beginDeviceFlow(context, metadata, client, asked)),
    id: randomUUID(),
    kind: 'device',
    startedAt: context.now(),
    issuer,
    published,
    client,
    registered: source === 'registered',
    scope: asked.scope,
    resource: asked.resource,
    binding: asked.binding,
  }
}

/** Waits until the person has entered the code. */
export async function runDeviceFlow(
  lead: Lead,
  flow: PendingDevice,
  metadata: ServerMetadata,
): Promise<StoredTokens> {
  const polling = new AbortController()
  const signal = AbortSignal.any([polling.signal, lead.context.signal])
  try {
    let ours = false
    const polled = pollDeviceFlow(lead.context, metadata, flow, signal).then((tokens) => {
      ours = true
      return tokens
    })
    const tokens = await lead.answered(polled)
    if (ours) await lead.keep(flow, metadata, tokens)
    return tokens
  } finally {
    polling.abort()
  }
}
