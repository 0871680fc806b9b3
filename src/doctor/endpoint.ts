import { check, fail, ok } from './check.ts'
import { initialize, speaksSse } from './knock.ts'
import { redirectOf, type Server } from './server.ts'
import { introduced } from './speaking.ts'
import { serverOf, unasked } from './way.ts'
import { bridge } from './words.ts'

/** What is at the address. */
export const endpoint = check({
  id: 'endpoint',
  title: 'Answer',
  group: 'The server',
  needs: ['connection', 'certificate'],
  codes: [
    'unreachable',
    'redirected',
    'wrong_path',
    'web_page',
    'server_fails',
    'header_refused',
    'forbidden',
    'not_mcp',
  ],
  async run(context) {
    const server = serverOf(context)
    const { url, headers } = server.options
    try {
      const answer = await server.answer()
      const said = `HTTP ${answer.status}`
      const target = redirectOf(answer)
      if (target !== undefined) {
        const seen = `${said}: redirects to ${target.origin}${target.pathname}, which is not followed`
        return fail('redirected', seen, bridge('doctor', target))
      }
      if (answer.status === 401) {
        if (headers['authorization'] === undefined) return ok(`${said}: it asks for a sign-in`)
        const seen = `${said}: it does not accept the Authorization header that you supply`
        return fail(
          'header_refused',
          seen,
          'Correct the header, or leave it out and sign in: bridge login <server_url>',
        )
      }
      if (answer.status === 403 && (await server.answerToToken()) === undefined) {
        return fail(
          'forbidden',
          `${said}: it refuses us without asking for a sign-in`,
          'Ask its operator for the header that it wants, and pass --header-file.',
        )
      }
      if (answer.status === 429 || answer.status >= 500) {
        return fail(
          'server_fails',
          `${said}: it cannot answer now`,
          'Try again later, or tell the operator of the server.',
        )
      }
      if ((await server.spoken()).kind !== 'nothing') return ok(said)
      const place = await elsewhere(server)
      const fix =
        place === undefined
          ? 'Correct the path of the URL; it often ends in /mcp or /sse.'
          : bridge('doctor', place)
      if (answer.mediaType === 'text/html')
        return fail('web_page', `${said}: a web page, no MCP server`, fix)
      if (answer.status === 404 || answer.status === 405) {
        return fail('wrong_path', `${said}: there is no MCP server at ${url.pathname}`, fix)
      }
      return fail('not_mcp', `${said}: this is no answer of an MCP server`, fix)
    } catch (error) {
      return unasked(error, server)
    }
  },
})

/** Where the servers of this world have their endpoint. */
const USUAL_PATHS = ['/mcp', '/sse', '/v1/mcp', '/mcp/sse', '/']

/** Another path of the same origin where a server answers, or asks for a sign-in. */
async function elsewhere(server: Server): Promise<URL | undefined> {
  const { url } = server.options
  const send = await server.sender()
  for (const path of USUAL_PATHS) {
    if (path === url.pathname) continue
    const place = new URL(path, url)
    const answer = await initialize(send, place, server.signal)
    if (introduced(answer) !== undefined) return place
    if (answer.status === 401 && answer.authenticate.length > 0) return place
    const other = answer.status === 404 || answer.status === 405
    if (other && path.endsWith('/sse') && (await speaksSse(send, place, server.signal)))
      return place
  }
  return undefined
}

/** What it speaks, and whether the options let us speak that. */
export const transport = check({
  id: 'transport',
  title: 'Transport and era',
  group: 'The server',
  needs: ['endpoint'],
  codes: ['sse_only', 'http_only', 'modern_only', 'legacy_only'],
  async run(context) {
    const server = serverOf(context)
    const { strategy, protocol } = server.options
    const spoken = await server.spoken()
    const sse = strategy === 'sse' || strategy === 'sse-only'
    const http = strategy === 'http' || strategy === 'http-only'
    switch (spoken.kind) {
      case 'nothing':
      case 'sign-in':
        return ok('it will be known after the sign-in')
      case 'sse': {
        const seen = 'only HTTP+SSE (2024-11-05), which newer servers do not speak'
        return http ? fail('sse_only', seen, 'Add to the arguments: --transport sse') : ok(seen)
      }
      case 'modern': {
        const seen = `only the stateless era (${spoken.versions.join(', ')}); hosts of the older one are translated`
        if (sse)
          return fail('http_only', 'Streamable HTTP', 'Add to the arguments: --transport http')
        return protocol === 'legacy'
          ? fail('modern_only', seen, 'Add to the arguments: --protocol auto')
          : ok(seen)
      }
      case 'http': {
        const who = spoken.name === undefined ? '' : ` (${spoken.name})`
        const seen = `Streamable HTTP, ${spoken.version}${who}`
        if (sse) return fail('http_only', seen, 'Add to the arguments: --transport http')
        return protocol === 'modern'
          ? fail('legacy_only', seen, 'Add to the arguments: --protocol auto')
          : ok(seen)
      }
    }
  },
})
