import { MAX_KNOWN_SECRETS, MIN_SECRET_CHARS } from './limits.ts'

/** What a secret is; it is part of the mask that stands for it. */
export type SecretKind =
  | 'token'
  | 'code'
  | 'verifier'
  | 'state'
  | 'secret'
  | 'header'
  | 'cookie'
  | 'session'
  | 'password'

/** Every secret that this process has seen: whatever it writes about its work masks them. */
export interface Secrets {
  /** Remembers a value that must never be written anywhere but where it belongs. */
  learn(kind: SecretKind, value: string | null | undefined): void
  /** The secrets by value; the same map each time. */
  known(): ReadonlyMap<string, SecretKind>
}

/** An empty collection. */
export function createSecrets(): Secrets {
  const known = new Map<string, SecretKind>()
  return {
    learn(kind, value) {
      if (value === undefined || value === null || value.length < MIN_SECRET_CHARS) return
      if (known.has(value)) return
      known.set(value, kind)
      if (known.size > MAX_KNOWN_SECRETS) known.delete(known.keys().next().value!)
    },
    known: () => known,
  }
}

/**
 * The secrets of this process. One collection for all of it: a value is secret wherever it turns up,
 * and a part that had to be handed the collection could be forgotten.
 */
export const secrets: Secrets = createSecrets()
