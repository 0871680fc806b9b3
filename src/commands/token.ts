import { openConnection } from '../connection.ts'
import { BridgeError } from '../errors.ts'
import { createLog } from '../log.ts'
import { readServerOptions } from '../options.ts'
import { codeOf } from './explained.ts'
import type { RunCommand } from './table.ts'

/** Prints an access token that works now; renews it first when that needs nobody. */
export const runToken: RunCommand = async (line, process) => {
  const options = readServerOptions(line, process.env, 'nobody')
  const { host, href } = options.url
  if (options.headers['authorization'] !== undefined) {
    throw new BridgeError('usage', 'You supply an Authorization header: there is no other token.', {
      hint: 'Leave the header out to get the token of the stored sign-in.',
    })
  }
  if (process.stdout.isTTY === true && line.values['show'] !== true) {
    throw new BridgeError(
      'usage',
      'stdout is a terminal, and a token on it can be read by others.',
      {
        hint: 'Use it in a script: $(bridge token <server_url>), or pass --show.',
      },
    )
  }
  const log = createLog(process.stderr, '')
  const { http, authorizer, stored } = await openConnection(options, log, process.env)
  try {
    const due = await authorizer.due()
    if (due?.ok === false) throw failed(due.message, due.hint, due.kind)
    const now = await stored()
    const ended = now?.expiresAt !== undefined && now.expiresAt <= Date.now()
    const credential = authorizer.credential()
    if (credential === undefined || ended) {
      const renewal = await authorizer.renew({
        status: 401,
        authenticate: [],
        credential,
        round: 0,
        stepUps: 0,
        background: false,
        operation: 'token',
      })
      if (!renewal.ok) throw failed(renewal.message, renewal.hint, renewal.kind)
    }
    const token = authorizer.credential()?.split(' ')[1]
    if (token === undefined) throw failed(undefined, undefined, 'unanswered')
    const kept = await stored()
    const expires_at =
      kept?.accessToken === token && kept.expiresAt !== undefined
        ? { expires_at: new Date(kept.expiresAt).toISOString() }
        : {}
    const token_type = kept?.proofKey === undefined ? 'Bearer' : 'DPoP'
    const json = { access_token: token, token_type, ...expires_at }
    process.stdout.write(`${line.values['json'] === true ? JSON.stringify(json) : token}\n`)
    return 0
  } finally {
    await authorizer.close()
    await http.destroy()
  }

  function failed(
    message = `${host} needs a sign-in first.`,
    hint = `Sign in with: bridge login ${href}`,
    kind: Parameters<typeof codeOf>[0],
  ): BridgeError {
    return new BridgeError(codeOf(kind), message, { hint })
  }
}
