/** A role that a person can hold. Roles decide which scopes a sign-in may grant. */
export type Role = 'admin'

/** Who signed in, as far as this Worker wants to know. */
export interface Identity {
  /** Stable and unique across providers, without `:`, which the OAuth library uses as separator. */
  readonly userId: string
  /** For people to read. Never an identifier: logins can be renamed and given to somebody else. */
  readonly login: string
  readonly roles: readonly Role[]
}

/** What must come back unchanged from the browser's trip; the OAuth library keeps it encrypted. */
export interface SignInSecrets {
  readonly verifier: string
  readonly nonce: string
}

/** A sign-in that is ready to start. */
interface SignInStart {
  readonly secrets: SignInSecrets
  location(state: string): string
}

/** How a sign-in ended; `detail` is for the log. */
export type SignInResult =
  | { readonly ok: true; readonly identity: Identity }
  | {
      readonly ok: false
      readonly why: 'denied' | 'unavailable' | 'refused'
      readonly detail: string
    }

/** The place where people prove who they are: one implementation for each kind of provider. */
export interface IdentityProvider {
  /** For people, e.g. `GitHub`. */
  readonly name: string
  /** Undefined when the provider cannot be reached. */
  start(callbackUrl: string): Promise<SignInStart | undefined>
  /** Judges the provider's answer, whose `state` the OAuth library has already checked. */
  finish(answer: URL, callbackUrl: string, secrets: SignInSecrets): Promise<SignInResult>
}

/** A failed sign-in, in one line. */
export const failed = (
  why: 'denied' | 'unavailable' | 'refused',
  detail: string,
): SignInResult => ({ ok: false, why, detail })
