import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { failurePage } from './idp.page.mjs'

/**
 * @typedef {object} Settings
 * @property {string} issuer
 * @property {string} clientId
 * @property {string} clientSecret
 * @property {readonly import('./idp.mjs').Person[]} people
 */

const HOUR_S = 3600

/** @type {Promise<typeof import('oidc-provider')> | undefined} */
let library

/**
 * The provider with one client, no consent of its own, and roles among the claims of a profile.
 *
 * @param {Settings} settings
 */
export async function makeProvider({ issuer, clientId, clientSecret, people }) {
  library ??= quietly(() => import('oidc-provider'))
  const { Provider, interactionPolicy } = await library
  const policy = interactionPolicy.base()
  // Always ask, so that a person can change places with the other one between two sign-ins.
  policy
    .get('login')
    .checks.add(
      new interactionPolicy.Check('always', 'choose a person', ({ oidc }) => !oidc.result?.login),
    )
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  /** @type {import('oidc-provider').Provider} */
  const provider = quietly(
    () =>
      new Provider(issuer, {
        clients: [
          {
            client_id: clientId,
            client_secret: clientSecret,
            redirect_uris: [`${issuer}/never-used`],
            grant_types: ['authorization_code'],
            response_types: ['code'],
            token_endpoint_auth_method: 'client_secret_basic',
            id_token_signed_response_alg: 'ES256',
          },
        ],
        jwks: {
          keys: [
            { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'stand-in' },
          ],
        },
        cookies: { keys: [randomBytes(24).toString('hex')] },
        pkce: { required: () => true },
        scopes: ['openid', 'profile'],
        claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'roles'] },
        features: { devInteractions: { enabled: false } },
        interactions: {
          policy,
          url: (/** @type {unknown} */ _, /** @type {{ uid: string }} */ { uid }) =>
            `/interaction/${uid}`,
        },
        findAccount: (/** @type {unknown} */ _, /** @type {string} */ login) =>
          accountOf(people, login),
        // Consent is the Worker's page; asking a second time here would prove nothing.
        async loadExistingGrant(/** @type {import('oidc-provider').Context} */ { oidc }) {
          const grant = new provider.Grant({
            accountId: oidc.session.accountId,
            clientId: oidc.client.clientId,
          })
          grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(' '))
          await grant.save()
          return grant
        },
        ttl: {
          AccessToken: HOUR_S,
          AuthorizationCode: 60,
          Grant: HOUR_S,
          IdToken: HOUR_S,
          Interaction: HOUR_S,
          Session: HOUR_S,
        },
        renderError(
          /** @type {import('oidc-provider').Context} */ context,
          /** @type {{ error_description?: string }} */ out,
        ) {
          context.type = 'html'
          context.body = failurePage(out.error_description ?? 'The request was refused.')
        },
      }),
  )
  return provider
}

/**
 * @param {Settings['people']} people
 * @param {string} login
 */
function accountOf(people, login) {
  const person = people.find((known) => known.login === login)
  return (
    person && {
      accountId: login,
      claims: () => ({
        sub: login,
        name: person.name,
        preferred_username: login,
        roles: person.roles,
      }),
    }
  )
}

/**
 * oidc-provider tells on the console that Node 20 is old and that its in-memory adapter is for
 * development. Both are true and wanted here, and neither helps a reader of the dev script.
 *
 * @template T
 * @param {() => T} make A value, or the promise of one.
 * @returns {T}
 */
function quietly(make) {
  const { warn } = console
  const restore = () => {
    console.warn = warn
  }
  console.warn = (...words) => {
    if (!String(words[0]).includes('oidc-provider WARNING')) warn(...words)
  }
  const made = make()
  if (made instanceof Promise) void made.then(restore, restore)
  else restore()
  return made
}
