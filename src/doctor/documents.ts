import { resourcePlaces, sameIssuer, serverPlaces } from '../auth/discover.ts'
import { readDocument } from '../auth/documents.ts'
import { AuthFailure, quote } from '../auth/failure.ts'
import { ResourceMetadata } from '../auth/metadata.ts'
import { isUsable, ServerMetadata } from '../store/server-metadata.ts'
import type { Server } from './server.ts'

/** A document and where it was. */
export interface Found<T> {
  readonly place: URL
  readonly document: T
}

/** The server's own description (RFC 9728); `undefined` when it has none. */
export async function resourceOf(server: Server): Promise<Found<ResourceMetadata> | undefined> {
  const { fetch } = await server.http()
  for (const place of resourcePlaces(server.options.url, await server.hint())) {
    const document = await readDocument(fetch, place, ResourceMetadata)
    if (document !== undefined) return { place, document }
  }
  return undefined
}

/** The issuer that a sign-in would go to; `undefined` when it is not the one that the user demands. */
export async function issuerOf(server: Server): Promise<string | undefined> {
  const named = (await server.resource())?.document.authorization_servers ?? []
  const wanted = server.options.auth.issuer
  if (wanted !== undefined) {
    return named.length === 0 || named.some((name) => sameIssuer(name, wanted)) ? wanted : undefined
  }
  const known = (await server.stored())?.record.current
  return (
    named.find((name) => known !== undefined && sameIssuer(name, known)) ??
    named[0] ??
    server.options.url.origin
  )
}

/** What the issuer says about itself (RFC 8414). */
export async function metadataOf(server: Server): Promise<Found<ServerMetadata> | undefined> {
  const issuer = await server.trusted()
  if (issuer === undefined) return undefined
  if (!URL.canParse(issuer)) throw new AuthFailure('refused', `${quote(issuer)} is no URL.`)
  const { fetch } = await server.http()
  for (const place of serverPlaces(issuer)) {
    const document = await readDocument(fetch, place, ServerMetadata)
    if (document !== undefined && isUsable(document)) return { place, document }
  }
  return undefined
}
