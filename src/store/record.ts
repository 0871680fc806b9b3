import * as z from 'zod/mini'
import { LAYOUT } from './place.ts'
import { ServerMetadata } from './server-metadata.ts'
import { ACCESS_TOKEN } from './start.ts'

const text = z.optional(z.string())

/** A private key that tokens are bound to (RFC 9449), as JWK. */
const ProofKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
})

/** What a token response left behind. */
const Tokens = z.object({
  accessToken: z.string().check(z.regex(ACCESS_TOKEN)),
  refreshToken: text,
  /** Milliseconds since 1970; absent when the server does not say. */
  expiresAt: z.optional(z.number()),
  obtainedAt: z.number(),
  /** What was granted; what was asked for when the server does not say. */
  scope: text,
  /** What was asked for. */
  requested: text,
  /** The `resource` parameter that they were asked with. */
  resource: text,
  clientId: z.string(),
  /** Whom they stand for, as an id token named the person; a server need not send one. */
  account: text,
  /** The grant that began them. */
  grant: z.enum([
    'authorization_code',
    'device_code',
    'client_credentials',
    'enterprise',
    'workload',
  ]),
  /** The key that they are bound to; without it anybody could use them. */
  proofKey: z.optional(ProofKey),
})

/** A client that was registered for us. */
const Client = z.object({
  clientId: z.string(),
  clientSecret: text,
  /** Milliseconds since 1970; absent when it does not expire. */
  secretExpiresAt: z.optional(z.number()),
  authMethod: z.string(),
  redirectUris: z.array(z.string()),
})

/** Everything that is bound to one authorization server. */
const Issuer = z.object({
  metadata: ServerMetadata,
  client: z.optional(Client),
  tokens: z.optional(Tokens),
  /** It refuses the `resource` parameter, which is left out since. */
  refusesResource: z.optional(z.boolean()),
  /** Its last tokens were bound to a key: it must not give weaker ones. */
  bound: z.optional(z.boolean()),
})

/** What every sign-in that waits for a person has. */
const WAITING = {
  id: z.string(),
  startedAt: z.number(),
  issuer: z.string(),
  published: z.boolean(),
  client: Client,
  /** Only a client that was registered for us is kept, and replaced when it is dead. */
  registered: z.boolean(),
  scope: text,
  resource: text,
  /** Whether tokens that are bound to a key are asked for, or insisted on. */
  binding: z.optional(z.enum(['asked', 'required'])),
  /** The page to open. */
  link: z.string(),
}

/** With a browser that comes back to this machine. */
const PendingCode = z.object({
  ...WAITING,
  kind: z.literal('code'),
  state: z.string(),
  verifier: z.string(),
  redirectUri: z.string(),
  /** PKCE alone ties a code to this sign-in: the server promises to check it, and sends no `iss`. */
  bareCode: z.optional(z.boolean()),
})

/** With a code that is entered elsewhere. */
const PendingDevice = z.object({
  ...WAITING,
  kind: z.literal('device'),
  userCode: z.string(),
  deviceCode: z.string(),
  intervalMs: z.optional(z.number()),
  expiresAt: z.optional(z.number()),
})

/** A sign-in that waits for a person; whoever holds its lock may complete it. */
const Pending = z.discriminatedUnion('kind', [PendingCode, PendingDevice])

/** The content of one file: one server, as one account sees it. */
export const ServerRecord = z.object({
  layout: z.literal(LAYOUT),
  server: z.string(),
  profile: z.string(),
  /** The issuer whose tokens are in use. */
  current: text,
  issuers: z.record(z.string(), Issuer),
  pending: z.optional(Pending),
  /** When a browser was last opened, and what for (no second tab for a restart). */
  tab: z.optional(z.object({ openedAt: z.number(), scope: text })),
  /** How the last sign-in failed: those who waited for it say the same. */
  failed: z.optional(z.object({ id: z.string(), message: z.string(), hint: text })),
})

/** What is stored about one server and account. */
export type ServerRecord = z.infer<typeof ServerRecord>
/** Tokens at rest. */
export type StoredTokens = z.infer<typeof Tokens>
/** A registered client at rest. */
export type StoredClient = z.infer<typeof Client>
/** What is bound to one issuer. */
export type StoredIssuer = z.infer<typeof Issuer>
/** A sign-in in progress. */
export type PendingFlow = z.infer<typeof Pending>
/** One with a browser. */
export type PendingCode = z.infer<typeof PendingCode>
/** One by device code. */
export type PendingDevice = z.infer<typeof PendingDevice>
