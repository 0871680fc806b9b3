import type { TokenContext } from '../auth/token-endpoint.ts'
import { sameIssuer } from '../auth/discover.ts'
import { AuthFailure, quote } from '../auth/failure.ts'
import { coversServer } from '../auth/resource.ts'
import { check, type Context, fail, type Finding, ok, skipped, warn } from './check.ts'
import type { Server } from './server.ts'
import { serverOf } from './way.ts'
import { bridge } from './words.ts'

const group = 'The sign-in'
const NOT_ASKED = 'the server asks for no sign-in'

/** The server's description of its protection (RFC 9728). */
export const resource = check({
  id: 'resource',
  title: 'Protected resource metadata',
  group,
  needs: ['endpoint'],
  codes: ['resource_mismatch', 'resource_unreachable', 'resource_refused'],
  async run(context) {
    const server = serverOf(context)
    if (!(await server.asksForSignIn())) return skipped(NOT_ASKED)
    try {
      const found = await server.resource()
      if (found === undefined)
        return ok('there is none: the server is taken for its own authorization server')
      const { place, document } = found
      if (coversServer(document.resource, server.options.url)) return ok(place.href)
      const seen = `${place.href} describes ${quote(document.resource)}, which is another URL`
      const right = URL.canParse(document.resource) ? new URL(document.resource) : undefined
      return fail('resource_mismatch', seen, right && bridge('doctor', right))
    } catch (error) {
      return failure(error, server, 'resource_unreachable', 'resource_refused')
    }
  },
})

/** The authorization server's description of itself (RFC 8414). */
export const authority = check({
  id: 'authority',
  title: 'Authorization server metadata',
  group,
  needs: ['resource'],
  codes: [
    'issuer_mismatch',
    'authority_missing',
    'authority_unreachable',
    'authority_refused',
    'issuer_not_trusted',
  ],
  async run(context) {
    const server = serverOf(context)
    try {
      const issuer = await server.trusted()
      if (issuer === undefined) {
        const seen = `--issuer is ${server.options.auth.issuer}, but the server trusts another one`
        return fail(
          'issuer_not_trusted',
          seen,
          'Correct --issuer, and the client that belongs to it.',
        )
      }
      const found = await server.metadata()
      if (found === undefined) {
        if ((await server.resource()) === undefined) {
          return ok(
            'none is published: /authorize, /token and /register of the server are used (MCP 2025-03-26)',
          )
        }
        return fail(
          'authority_missing',
          `${quote(issuer)} publishes no metadata`,
          'Ask the operator of the server, or pass a token with --header-file.',
        )
      }
      if (sameIssuer(found.document.issuer, issuer)) return ok(found.place.href)
      const seen = `${found.place.href} is the metadata of ${quote(found.document.issuer)}, not of ${quote(issuer)}`
      return fail(
        'issuer_mismatch',
        seen,
        'Tell the operator of the server: RFC 8414, section 3.3, wants the two to be the same.',
      )
    } catch (error) {
      return failure(error, server, 'authority_unreachable', 'authority_refused')
    }
  },
})

/** Whether codes are protected. */
export const pkce = check({
  id: 'pkce',
  title: 'PKCE',
  group,
  needs: ['authority'],
  codes: ['pkce_missing'],
  async run(context) {
    const server = serverOf(context)
    const metadata = (await server.metadata())?.document
    if (metadata === undefined) return ok('taken for granted, nothing is published')
    const methods = metadata.code_challenge_methods_supported
    if (methods?.includes('S256') === true) return ok('S256')
    const seen =
      methods === undefined
        ? 'the authorization server does not say that it supports PKCE'
        : `it supports ${quote(methods.join(', '))} only`
    if (server.options.auth.allowMissingPkce) return warn('pkce_missing', seen)
    return fail(
      'pkce_missing',
      seen,
      'If its operator says that it does, add to the arguments: --allow-missing-pkce',
    )
  },
})

/** Whether there is a client for us. */
export const registration = check({
  id: 'registration',
  title: 'Registration',
  group,
  needs: ['authority'],
  codes: ['registration_impossible'],
  async run(context) {
    const server = serverOf(context)
    const { client, clientMetadataUrl } = server.options.auth
    if (client !== undefined) return ok('with a client of yours (--client-id)')
    const metadata = (await server.metadata())?.document
    const document = metadata?.client_id_metadata_document_supported === true
    if (clientMetadataUrl !== undefined && document) return ok('with your client metadata document')
    if (metadata === undefined || metadata.registration_endpoint !== undefined)
      return ok('programs register themselves')
    if ((await server.registered()) !== undefined) return ok('registered already')
    const fix = document
      ? 'Add to the arguments: --client-metadata-url <https URL of a client metadata document>'
      : 'Register a client with the operator of the server, and add to the arguments: --client-id <id>'
    return fail('registration_impossible', 'programs cannot register themselves there', fix)
  },
})

/** Whether the registration of an earlier sign-in is still known. */
export const client = check({
  id: 'client',
  title: 'Registered client',
  group,
  needs: ['authority'],
  codes: ['registration_dead', 'registration_expired'],
  async run(context) {
    const server = serverOf(context)
    const { options } = server
    const stored = await server.registered()
    if (options.auth.client !== undefined || stored === undefined) return skipped('none is stored')
    const again = bridge('login', options.url, '--force')
    if (stored.secretExpiresAt !== undefined && stored.secretExpiresAt <= context.now()) {
      return fail('registration_expired', 'its secret has expired', again)
    }
    const metadata = (await server.metadata())?.document ?? (await server.issuer())?.metadata
    if (metadata === undefined) return skipped('there is nobody to ask')
    const { isAlive } = await import('../auth/identity.ts')
    const asked = await asking(context, server)
    if (await isAlive(asked, metadata, stored)) return ok('the authorization server knows it')
    return fail('registration_dead', 'the authorization server does not know it any more', again)
  },
})

/** What asking the token endpoint needs; nothing that it says is kept. */
async function asking({ now }: Context, server: Server): Promise<TokenContext> {
  const { createNonces } = await import('../auth/nonces.ts')
  return {
    options: server.options.auth,
    http: await server.http(),
    nonces: createNonces(),
    now,
    // The administrator's word has been heard: what is asked here was found with it.
    permit: () => {},
  }
}

function failure<A extends string, B extends string>(
  error: unknown,
  { signal }: Server,
  unreachable: A,
  refused: B,
): Finding<A | B> {
  if (!(error instanceof AuthFailure) || signal.aborted) throw error
  return fail(error.kind === 'unreachable' ? unreachable : refused, error.message, error.hint)
}
