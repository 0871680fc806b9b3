// oidc-provider ships no types. This is the part of it that the stand-in uses, nothing more.
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  interface Grant {
    addOIDCScope(scope: string): void
    save(): Promise<string>
  }
  interface Context {
    type?: string
    body?: unknown
    readonly oidc: {
      readonly client: { readonly clientId: string }
      readonly session: { readonly accountId: string }
      readonly requestParamOIDCScopes: ReadonlySet<string>
      readonly result?: { readonly login?: unknown }
    }
  }
  interface Interaction {
    readonly uid: string
    readonly params: { readonly client_id?: unknown }
  }
  type InteractionResult =
    | { readonly login: { readonly accountId: string } }
    | { readonly error: string; readonly error_description: string }

  export class Provider {
    constructor(issuer: string, configuration: object)
    readonly Client: { readonly prototype: { redirectUriAllowed(uri: string): boolean } }
    readonly Grant: new (properties: { accountId: string; clientId: string }) => Grant
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: InteractionResult,
    ): Promise<void>
  }

  interface Prompt {
    readonly checks: { add(check: Check): void }
  }
  interface Check {
    readonly reason: string
  }
  export const interactionPolicy: {
    readonly base: () => { get(name: 'login' | 'consent'): Prompt }
    readonly Check: new (
      reason: string,
      description: string,
      check: (context: Context) => boolean,
    ) => Check
  }
}
