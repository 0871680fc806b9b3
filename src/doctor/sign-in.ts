import { check, fail, ok, skipped } from './check.ts'
import { serverOf } from './way.ts'
import { bridge } from './words.ts'

const group = 'The sign-in'

/** Whether somebody has signed in, and for how long. */
export const signIn = check({
  id: 'sign-in',
  title: 'Stored sign-in',
  group,
  needs: ['endpoint'],
  codes: ['sign_in_needed', 'sign_in_expired'],
  async run(context) {
    const server = serverOf(context)
    if (!(await server.asksForSignIn())) return skipped('the server asks for no sign-in')
    const { url, auth } = server.options
    const login = bridge(
      'login',
      url,
      ...(auth.profile === 'default' ? [] : ['--profile', auth.profile]),
    )
    const tokens = await server.tokens()
    if (tokens === undefined) return fail('sign_in_needed', 'nobody has signed in yet', login)
    const renewable = tokens.refreshToken !== undefined || tokens.grant === 'client_credentials'
    if (tokens.expiresAt === undefined) return ok('it does not say when it ends')
    const left = tokens.expiresAt - context.now()
    if (left > 0) {
      const until = new Date(tokens.expiresAt).toISOString()
      return ok(`until ${until}${renewable ? ', then renewed without you' : ''}`)
    }
    if (renewable) return ok('it is renewed at the next use')
    return fail('sign_in_expired', 'it has expired and cannot be renewed', login)
  },
})

/** Whether the server takes the token. */
export const token = check({
  id: 'token',
  title: 'Access token',
  group,
  needs: ['sign-in'],
  codes: ['token_refused', 'token_insufficient'],
  async run(context) {
    const server = serverOf(context)
    const answer = await server.answerToToken()
    if (answer === undefined) return skipped('none is valid now; the next use asks for one')
    const again = bridge('login', server.options.url, '--force')
    if (answer.status === 401)
      return fail('token_refused', 'the server does not accept it (HTTP 401)', again)
    if (answer.status === 403)
      return fail('token_insufficient', 'it does not suffice (HTTP 403)', again)
    return ok(`the server accepts it (HTTP ${answer.status})`)
  },
})
