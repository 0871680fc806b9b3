import { secrets } from '../secrets.ts'
import type { ServerRecord } from './record.ts'

/** Remembers the secrets of a record, so that nothing shows them. */
export function learnRecord({ issuers, pending }: ServerRecord): void {
  for (const { tokens, client } of Object.values(issuers)) {
    secrets.learn('token', tokens?.accessToken)
    secrets.learn('token', tokens?.refreshToken)
    secrets.learn('secret', client?.clientSecret)
  }
  if (pending === undefined) return
  secrets.learn('secret', pending.client.clientSecret)
  if (pending.kind === 'code') {
    secrets.learn('verifier', pending.verifier)
    secrets.learn('state', pending.state)
  } else {
    secrets.learn('code', pending.deviceCode)
    secrets.learn('code', pending.userCode)
  }
}
