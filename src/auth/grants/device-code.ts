import {
  deviceAuthorizationRequest,
  deviceCodeGrantRequest,
  processDeviceAuthorizationResponse,
} from 'oauth4webapi'
import {
  DEVICE_INTERVAL_MS,
  DEVICE_SLOW_DOWN_MS,
  MAX_DEVICE_INTERVAL_MS,
  MIN_DEVICE_INTERVAL_MS,
} from '../../limits.ts'
import { pause } from '../../pause.ts'
import type { PendingDevice, StoredClient, StoredTokens } from '../../store/record.ts'
import type { ServerMetadata } from '../../store/server-metadata.ts'
import { bindAnew } from '../binding.ts'
import { clientAuthentications, endpointsFor } from '../client-auth.ts'
import type { AuthContext } from '../context.ts'
import { AuthFailure, expected } from '../failure.ts'
import type { Asked } from '../request.ts'
import { millisecondsOf } from '../seconds.ts'
import { clearly, endpointOptions, requestTokens } from '../token-endpoint.ts'

/** The part of a pending sign-in that is the device flow's own. */
export type DeviceFlow = Pick<
  PendingDevice,
  'link' | 'userCode' | 'deviceCode' | 'intervalMs' | 'expiresAt'
>

/** Asks for a code that a person enters on another device (RFC 8628 §3.1). */
export async function beginDeviceFlow(
  context: AuthContext,
  metadata: ServerMetadata,
  client: StoredClient,
  { scope, resource }: Asked,
): Promise<DeviceFlow> {
  const server = endpointsFor(client, context.options, metadata)
  const oauthClient = { client_id: client.clientId }
  const params = new URLSearchParams()
  if (scope !== undefined) params.set('scope', scope)
  if (resource !== undefined) params.set('resource', resource)
  const [authentication] = await clientAuthentications(client, context.options, metadata)
  const answer = await clearly(async () => {
    const options = endpointOptions(context)
    const response = await deviceAuthorizationRequest(
      server,
      oauthClient,
      authentication!,
      params,
      options,
    )
    return processDeviceAuthorizationResponse(server, oauthClient, response)
  })
  return {
    link: answer.verification_uri_complete ?? answer.verification_uri,
    userCode: answer.user_code,
    deviceCode: answer.device_code,
    intervalMs: intervalOf(answer.interval),
    expiresAt: context.now() + millisecondsOf(answer.expires_in),
  }
}

/** A fraction would be a storm, and so would what is too much for a timer. */
function intervalOf(seconds: number | undefined): number {
  if (seconds === undefined) return DEVICE_INTERVAL_MS
  return Math.min(Math.max(seconds * 1000, MIN_DEVICE_INTERVAL_MS), MAX_DEVICE_INTERVAL_MS)
}

/** Asks again and again, never faster than the server wants, until the person is done. */
export async function pollDeviceFlow(
  context: AuthContext,
  metadata: ServerMetadata,
  flow: PendingDevice,
  signal: AbortSignal,
): Promise<StoredTokens> {
  const { client, resource, scope, binding } = flow
  const bind = bindAnew(binding)
  const request = { metadata, client, resource, scope, grant: 'device_code', bind } as const
  let interval = flow.intervalMs ?? DEVICE_INTERVAL_MS
  for (;;) {
    await pause(interval, signal)
    signal.throwIfAborted()
    if (context.now() >= (flow.expiresAt ?? Infinity)) throw expired()
    try {
      return await requestTokens(context, request, (server, oauthClient, authentication, options) =>
        deviceCodeGrantRequest(server, oauthClient, authentication, flow.deviceCode, options),
      )
    } catch (error) {
      const { code, kind } = expected(error)
      if (code === 'slow_down') interval += DEVICE_SLOW_DOWN_MS
      else if (code === 'expired_token') throw expired()
      else if (code === 'access_denied') throw denied()
      else if (kind === 'unreachable') interval *= 2
      else if (code !== 'authorization_pending') throw error
    }
  }
}

function expired(): AuthFailure {
  return new AuthFailure('refused', 'The code was not entered in time.', { code: 'expired_token' })
}

function denied(): AuthFailure {
  return new AuthFailure('refused', 'The sign-in was denied.', { code: 'access_denied' })
}
