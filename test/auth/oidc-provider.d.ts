/** The part of oidc-provider that the tests use; the package has no types of its own. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export class Grant {
    constructor(properties: { accountId: string; clientId: string })
    addOIDCScope(scope: string): void
    addResourceScope(resource: string, scope: string): void
    save(): Promise<string>
  }

  export interface AccessToken {
    readonly aud: string
    readonly scope: string
    readonly clientId: string
    readonly isExpired: boolean
    destroy(): Promise<void>
  }

  /** What an extension grant gets. */
  export interface GrantContext {
    body: object
    status: number
    readonly oidc: {
      readonly params: Readonly<Record<string, string | undefined>>
      readonly client: { readonly clientId: string }
      entity(name: string, value: object): void
    }
  }

  export class ClientCredentials {
    constructor(properties: { client: object; scope: string })
    resourceServer: object
    readonly expiration: number
    save(): Promise<string>
  }

  export class Provider {
    constructor(issuer: string, configuration: object)
    readonly Grant: typeof Grant & { find(id: string): Promise<Grant | undefined> }
    readonly AccessToken: { find(token: string): Promise<AccessToken | undefined> }
    readonly RefreshToken: { find(token: string): Promise<object | undefined> }
    readonly ClientCredentials: typeof ClientCredentials & {
      find(token: string): Promise<AccessToken | undefined>
    }
    readonly ResourceServer: new (resource: string, info: object) => object
    readonly IdToken: {
      validate(jwt: string, client: object): Promise<{ payload: { sub: string } }>
    }
    readonly issuer: string
    registerGrantType(
      name: string,
      handler: (context: GrantContext) => Promise<void>,
      parameters: string[],
    ): void
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
    interactionDetails(
      request: IncomingMessage,
      response: ServerResponse,
    ): Promise<{
      prompt: { name: string; details: Record<string, unknown> }
      params: Record<string, unknown>
      grantId?: string
    }>
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: object,
      options?: { mergeWithLastSubmission: boolean },
    ): Promise<void>
    on(event: string, listener: (...values: unknown[]) => void): this
  }
}
