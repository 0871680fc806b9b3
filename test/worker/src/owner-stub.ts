import type { Env } from './env.ts'
import type { OwnerState } from './owner.ts'

/** The object of one owner, wherever it lives. */
export function ownerState(env: Env, owner: string): DurableObjectStub<OwnerState> {
  return env.OWNERS.get(env.OWNERS.idFromName(owner))
}
