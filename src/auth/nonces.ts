/** The nonces that servers want to see in proofs, by origin (RFC 9449 §8.2, §9). */
export interface Nonces {
  of(url: URL): string | undefined
  /** Takes the nonce of a response; true when it is one. */
  learn(url: URL, nonce: string | undefined): boolean
}

/** RFC 9449 §8.1: visible characters but for the two that JSON would escape. */
const NONCE = /^[!#-[\]-~]+$/

/** Nonces of one account: of its server and its authorization server, so of a few origins. */
export function createNonces(): Nonces {
  const known = new Map<string, string>()
  return {
    of: ({ origin }) => known.get(origin),
    learn({ origin }, nonce) {
      if (nonce === undefined || !NONCE.test(nonce)) return false
      known.set(origin, nonce)
      return true
    },
  }
}
