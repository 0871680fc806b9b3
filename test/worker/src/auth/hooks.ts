import { hooksAreOpen, type Hook } from '../hooks.ts'
import type { AuthEnv } from './settings.ts'

/** Where the early-rejection hook keeps its number, apart from everything the library writes. */
const REJECT_AFTER_KEY = 'test:reject-after'
/** The limit of one KV `list`. A test that made more tokens than that should start a fresh Worker. */
const LIST_LIMIT = 1000

/**
 * The test hooks of the OAuth part, under `/__test/`:
 * `revoke-access` deletes every access token, `revoke-refresh` every grant (access tokens live on),
 * `reject-early?after=N` refuses access tokens N seconds after their issue whatever `expires_in`
 * promised, and without `after` ends that.
 */
export const authHooks: Readonly<Record<string, Hook>> = {
  'revoke-access': async (_url, env) => deleteAll(storeOf(env), 'token:'),
  'revoke-refresh': async (_url, env) => deleteAll(storeOf(env), 'grant:'),
  'reject-early': async (url, env) => {
    const after = url.searchParams.get('after')
    if (after === null) await storeOf(env).delete(REJECT_AFTER_KEY)
    else await storeOf(env).put(REJECT_AFTER_KEY, after)
    return Response.json({ after: after === null ? null : Number(after) })
  },
}

/** The age in seconds at which a test wants access tokens refused; undefined outside tests. */
export async function rejectAfter(request: Request, env: AuthEnv): Promise<number | undefined> {
  if (!hooksAreOpen(new URL(request.url), env)) return undefined
  const after = await env.OAUTH_KV.get(REJECT_AFTER_KEY)
  return after === null ? undefined : Number(after)
}

async function deleteAll(store: KVNamespace, prefix: string): Promise<Response> {
  const { keys } = await store.list({ prefix, limit: LIST_LIMIT })
  await Promise.all(keys.map(({ name }) => store.delete(name)))
  return Response.json({ deleted: keys.length })
}

function storeOf(env: Parameters<Hook>[1]): KVNamespace {
  if (env.OAUTH_KV === undefined) throw new TypeError('no OAUTH_KV in this flavour')
  return env.OAUTH_KV
}
