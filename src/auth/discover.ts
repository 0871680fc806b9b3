import { isUsable, ServerMetadata } from '../store/server-metadata.ts'
import { AuthFailure, quote } from './failure.ts'
import type { AuthHttp } from './fetch.ts'
import { readDocument } from './documents.ts'
import { ResourceMetadata } from './metadata.ts'
import { coversServer } from './resource.ts'

/** What is known about who protects a server. */
export interface Discovery {
  /** The issuer in the spelling that it uses itself. */
  readonly issuer: string
  readonly metadata: ServerMetadata
  /** Whether the metadata is a document of the issuer, and not the assumption of MCP 2025-03-26. */
  readonly published: boolean
  /** The server's own description, when it has one. */
  readonly resource: ResourceMetadata | undefined
}

/** How the authorization server is chosen. */
export interface Preference {
  /** The issuer that the user has configured. */
  readonly issuer: string | undefined
  /** Issuers at which there are tokens or a registration already. */
  readonly known: readonly string[]
  /** Throws for an issuer that must not be asked anything. */
  permit?(issuer: string): void
}

const RESOURCE_PATH = '/.well-known/oauth-protected-resource'

/** Finds the authorization server of `server` and reads what it says about itself. */
export async function discover(
  http: AuthHttp,
  server: URL,
  hinted: string | undefined,
  preference: Preference,
): Promise<Discovery> {
  const resource = await readResource(http, server, hinted)
  if (resource === undefined && preference.issuer === undefined) {
    preference.permit?.(server.origin)
    return assume(http, server)
  }
  const issuer = choose(resource?.authorization_servers ?? [], preference)
  preference.permit?.(issuer)
  return { ...(await discoverIssuer(http, issuer)), resource }
}

/** Reads what an authorization server says about itself whose issuer is known. */
export async function discoverIssuer(http: AuthHttp, issuer: string): Promise<Discovery> {
  const metadata = await readServer(http, issuer)
  if (metadata === undefined) {
    throw new AuthFailure(
      'refused',
      `${quote(issuer)} publishes no authorization server metadata.`,
      {
        hint: 'Ask the operator of the server, or pass a token with --header-file.',
      },
    )
  }
  return { issuer: metadata.issuer, metadata, published: true, resource: undefined }
}

/** The protected resource metadata: where the challenge says, below the path, at the root. */
async function readResource(
  { fetch }: AuthHttp,
  server: URL,
  hinted: string | undefined,
): Promise<ResourceMetadata | undefined> {
  for (const place of resourcePlaces(server, hinted)) {
    const found = await readDocument(fetch, place, ResourceMetadata)
    if (found === undefined) continue
    if (coversServer(found.resource, server)) return found
    // Another resource's metadata would lead to tokens that were not made for this server.
    const message = `${place.href} describes ${quote(found.resource)}, which is not ${server.href}.`
    throw new AuthFailure('refused', message, {
      hint: 'Check the server URL; its metadata names the one that it expects.',
    })
  }
  return undefined
}

/** Where a server's metadata may be, best first. `hinted` is what its challenge names. */
export function resourcePlaces(server: URL, hinted: string | undefined): readonly URL[] {
  const path = server.pathname === '/' ? '' : server.pathname
  return unique([
    ...(hinted !== undefined && URL.canParse(hinted, server.href) ? [new URL(hinted, server)] : []),
    new URL(`${RESOURCE_PATH}${path}${server.search}`, server),
    new URL(RESOURCE_PATH, server),
  ])
}

function choose(named: readonly string[], { issuer, known }: Preference): string {
  if (issuer !== undefined) {
    if (named.length === 0 || named.some((name) => sameIssuer(name, issuer))) return issuer
    const message = `--issuer is ${issuer}, but the server trusts ${quote(named.join(', '))}.`
    throw new AuthFailure('refused', message, {
      hint: 'Nothing was sent to either. Correct --issuer, and the client that belongs to it.',
    })
  }
  return named.find((name) => known.some((other) => sameIssuer(name, other))) ?? named[0]!
}

/** Authorization server metadata, RFC 8414 first, then both places of OpenID Connect. */
async function readServer(http: AuthHttp, issuer: string): Promise<ServerMetadata | undefined> {
  if (!URL.canParse(issuer)) {
    throw new AuthFailure(
      'refused',
      `The server names ${quote(issuer)} as its authorization server: no URL.`,
    )
  }
  for (const place of serverPlaces(issuer)) {
    const found = await readDocument(http.fetch, place, ServerMetadata)
    if (found === undefined || !isUsable(found)) continue
    if (!sameIssuer(found.issuer, issuer)) {
      const message = `${place.href} is the metadata of ${quote(found.issuer)}, not of ${quote(issuer)}.`
      throw new AuthFailure('refused', message, {
        hint: 'Metadata of another issuer is not used (RFC 8414, section 3.3).',
      })
    }
    await checkEndpoints(http, found)
    return found
  }
  return undefined
}

/** Where an issuer's metadata may be, best first; the issuer must be a URL. */
export function serverPlaces(issuer: string): readonly URL[] {
  const url = new URL(issuer)
  const path = url.pathname.replace(/\/$/, '')
  return unique([
    new URL(`/.well-known/oauth-authorization-server${path}`, url),
    new URL(`/.well-known/openid-configuration${path}`, url),
    new URL(`${path}/.well-known/openid-configuration`, url),
  ])
}

/** Every place that codes, secrets and people are sent to, before the first of them is. */
async function checkEndpoints(http: AuthHttp, metadata: ServerMetadata): Promise<void> {
  const { authorization_endpoint, token_endpoint, registration_endpoint } = metadata
  const { device_authorization_endpoint, revocation_endpoint } = metadata
  const { token_endpoint: mutual, device_authorization_endpoint: mutualDevice } =
    metadata.mtls_endpoint_aliases ?? {}
  const optional = [
    registration_endpoint,
    device_authorization_endpoint,
    revocation_endpoint,
    mutual,
    mutualDevice,
  ]
  for (const endpoint of [authorization_endpoint, token_endpoint, ...optional]) {
    if (endpoint === undefined) continue
    if (!URL.canParse(endpoint)) {
      throw new AuthFailure('refused', `${metadata.issuer} names ${quote(endpoint)}: no URL.`)
    }
    await http.check(new URL(endpoint))
  }
}

/** A server of MCP 2025-03-26, which is its own authorization server. */
async function assume(http: AuthHttp, server: URL): Promise<Discovery> {
  const issuer = server.origin
  const metadata = await readServer(http, issuer)
  if (metadata !== undefined) {
    return { issuer: metadata.issuer, metadata, published: true, resource: undefined }
  }
  const at = (path: string): string => new URL(path, server).href
  const assumed = {
    issuer,
    authorization_endpoint: at('/authorize'),
    token_endpoint: at('/token'),
    registration_endpoint: at('/register'),
  }
  return { issuer, metadata: assumed, published: false, resource: undefined }
}

/** Identity but for the slash that URL parsers put behind a bare origin. */
export function sameIssuer(one: string, other: string): boolean {
  return one === other || bareOrigin(one) === bareOrigin(other)
}

function bareOrigin(issuer: string): string {
  return /^https?:\/\/[^/]+\/$/.test(issuer) ? issuer.slice(0, -1) : issuer
}

function unique(urls: readonly URL[]): URL[] {
  return urls.filter((url, i) => urls.findIndex(({ href }) => href === url.href) === i)
}
