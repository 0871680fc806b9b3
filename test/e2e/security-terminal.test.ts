import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { printedLink, startHost } from '../auth/host.ts'
import { startWorld, type WorldOptions } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { json } from '../support/http-server.ts'

/** A title, a link, a cleared screen, text from right to left, and a second line that looks like ours. */
const ATTACK =
  'MARK\u001b]0;owned\u0007\u001b]8;;https://evil.example\u0007x\u001b]8;;\u0007\u001b[2J\u009b31m\u202e\u2028\r\nbridge: all is well\u0000\u200f'

const refuse = (_request: unknown, response: ServerResponse): boolean => {
  json(response, { error: ATTACK, error_description: ATTACK }, { status: 400 })
  return true
}

/** The places in which a server's text can reach a message; each case ends with that message. */
const CASES: readonly {
  readonly name: string
  readonly world: WorldOptions
  /** Whether a person gets to see a page. */
  readonly page?: boolean
}[] = [
  {
    name: 'the refusal of a registration',
    world: {
      script: { register: refuse },
    },
  },
  { name: 'the refusal of a code', world: { script: { token: refuse } }, page: true },
  {
    name: 'the refusal of the person',
    world: {
      script: {
        authorize: (answer) =>
          new URLSearchParams({
            error: ATTACK,
            error_description: ATTACK,
            state: answer.get('state') ?? '',
          }),
      },
    },
    page: true,
  },
  { name: 'the name of the resource', world: { metadata: { resource: `https://${ATTACK}` } } },
  { name: 'the name of the issuer', world: { script: { metadata: { issuer: ATTACK } } } },
  {
    name: 'the name of the server to ask',
    world: { metadata: { authorization_servers: [ATTACK] } },
  },
  { name: 'an endpoint', world: { script: { metadata: { token_endpoint: ATTACK } } } },
  {
    name: 'the methods of PKCE',
    world: { script: { metadata: { code_challenge_methods_supported: [ATTACK] } } },
  },
  {
    name: 'registered redirect URIs',
    world: {
      script: {
        register: (_request, response) => {
          json(response, { client_id: 'a', redirect_uris: [ATTACK] }, { status: 201 })
          return true
        },
      },
    },
  },
]

describe('A-105: what a server says cannot speak to the terminal', () => {
  test.each(CASES)('$name', async ({ world: options, page = false }) => {
    const world = await startWorld(options)
    const host = startHost(world.mcp.url)
    host.write(initialize(0))
    const shown = page ? (await visit(await printedLink(host))).text : ''
    const { message, data } = (await host.answer(0)).error ?? {}
    // The text of the server is what the message is about.
    expect(message).toContain('MARK')
    for (const text of [message ?? '', String(data?.['hint'] ?? ''), shown.replaceAll('\n', '')]) {
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
    }
    // A person and a language model read it: a sentence, not a page.
    expect(message!.length).toBeLessThanOrEqual(500)
    for (const line of host.stderr().split('\n').slice(0, -1)) {
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
      expect(line).toMatch(/^bridge: /)
      expect(line).not.toMatch(/^bridge: all is well/)
    }
    expect(shown).not.toMatch(/<a\b/)
  })
})
