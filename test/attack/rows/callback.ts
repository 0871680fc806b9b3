import { connect, createServer } from 'node:net'
import { readFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import { visit } from '../../auth/browser-stub.ts'
import { startWorld } from '../../auth/world.ts'
import { initialize } from '../../support/bridge.ts'
import { type Attack, DoesNotApply, type Group } from '../attack.ts'
import { check, settle } from '../session.ts'
import { awaitPerson, genuineSucceeds, knock, page, type Reply, type Waiting } from '../sign-in.ts'

type Knock = (waiting: Waiting) => readonly [string, Parameters<typeof knock>[2]?]

const callback = ({ redirect }: Waiting, query: string): string => `${redirect.pathname}?${query}`

/** What any program of this machine, and through a browser any page, can send to the listener. */
const FORGED: readonly { name: string; attack: string; send: Knock }[] = [
  {
    name: 'callback-without-state',
    attack: 'A code without a state.',
    send: (waiting) => [callback(waiting, 'code=forged')],
  },
  {
    name: 'callback-with-a-wrong-state',
    attack: 'A code with a state that nobody gave out.',
    send: (waiting) => [callback(waiting, 'code=forged&state=wrong')],
  },
  {
    name: 'callback-with-an-empty-state',
    attack: 'A code with an empty state.',
    send: (waiting) => [callback(waiting, 'code=forged&state=')],
  },
  {
    name: 'callback-with-half-a-state',
    attack: 'A code with the beginning of the state.',
    send: (waiting) => [callback(waiting, `code=forged&state=${waiting.state.slice(0, -1)}`)],
  },
  {
    name: 'callback-with-two-states',
    attack: 'A code with a wrong state and the right one.',
    send: (waiting) => [callback(waiting, `code=forged&state=wrong&state=${waiting.state}`)],
  },
  {
    name: 'callback-with-a-forged-refusal',
    attack: 'A refusal without a state: the person is said to have declined.',
    send: (waiting) => [callback(waiting, 'error=access_denied')],
  },
  {
    name: 'callback-with-a-refusal-of-a-wrong-state',
    attack: 'A refusal with a wrong state.',
    send: (waiting) => [callback(waiting, 'error=access_denied&state=wrong')],
  },
  {
    name: 'callback-by-post',
    attack: 'A code with the right state in a POST.',
    send: (waiting) => [
      callback(waiting, `code=forged&state=${waiting.state}`),
      { method: 'POST' },
    ],
  },
  {
    name: 'callback-by-head',
    attack: 'A code with the right state in a HEAD request, as previews of links send it.',
    send: (waiting) => [
      callback(waiting, `code=forged&state=${waiting.state}`),
      { method: 'HEAD' },
    ],
  },
  {
    name: 'callback-of-another-host',
    attack: 'A code with the right state under the name of another host (DNS rebinding).',
    send: (waiting) => [
      callback(waiting, `code=forged&state=${waiting.state}`),
      { headers: { host: `evil.example:${waiting.redirect.port}` } },
    ],
  },
  {
    name: 'callback-of-a-like-named-host',
    attack: 'A code with the right state under `127.0.0.1.evil.example`.',
    send: (waiting) => [
      callback(waiting, `code=forged&state=${waiting.state}`),
      { headers: { host: `127.0.0.1.evil.example:${waiting.redirect.port}` } },
    ],
  },
  {
    name: 'callback-on-another-path',
    attack: 'A code with the right state on a path that is not the registered one.',
    send: (waiting) => [`/elsewhere?code=forged&state=${waiting.state}`],
  },
  {
    name: 'callback-of-a-megabyte',
    attack: 'A code of a megabyte.',
    send: (waiting) => [callback(waiting, `state=wrong&code=${'x'.repeat(1024 * 1024)}`)],
  },
]

const forged: readonly Attack[] = FORGED.map(({ name, attack, send }) => ({
  name,
  attack,
  expectation: 'It is refused, no code is redeemed, and the genuine sign-in still succeeds.',
  async run(stage) {
    const waiting = await awaitPerson(stage)
    const { status, body } = await knock(waiting.redirect, ...send(waiting))
    await settle(200)
    const redeemed = waiting.world.authority.tokenCalls.length
    check(redeemed === 0, 'the forged code was redeemed')
    check(status >= 400 || status === 0, `it was welcomed with ${status}: ${body.slice(0, 80)}`)
    await genuineSucceeds(waiting)
  },
}))

const issuer = (
  name: string,
  attack: string,
  change: (answer: URLSearchParams, issuer: string) => void,
  advertised: boolean,
): Attack => ({
  name,
  attack,
  expectation: 'The code is not redeemed, the sign-in fails, and nothing of the answer is shown.',
  async run(stage) {
    const { world, program, link } = await awaitPerson(stage, {
      script: {
        metadata: { authorization_response_iss_parameter_supported: advertised },
        authorize: (answer, _asked, own) => change(answer, own),
      },
    })
    const { text } = await visit(link).catch(() => ({ text: '' }))
    await settle(300)
    check(world.authority.tokenCalls.length === 0, 'the code was redeemed')
    check(
      program.answers(0).every((answer) => !('result' in answer)),
      'the host got a result',
    )
    const shown = [text, program.stderr(), JSON.stringify(program.messages())]
    check(!shown.join('\n').includes('MARK-OF-THE-ATTACKER'), 'its text was shown')
  },
})

/** Mix-up (RFC 9207): the answer of one authorization server is passed off as that of another. */
const mixedUp: readonly Attack[] = [
  issuer(
    'issuer-of-another-server',
    'The answer names another issuer.',
    (answer) => answer.set('iss', 'https://evil.example'),
    true,
  ),
  issuer(
    'issuer-that-was-not-announced',
    'The answer names another issuer although none was announced.',
    (answer) => answer.set('iss', 'https://evil.example'),
    false,
  ),
  issuer(
    'issuer-missing',
    'The answer names no issuer although one was announced.',
    () => {},
    true,
  ),
  issuer(
    'issuer-almost-right',
    'The answer names the issuer with a slash at its end.',
    (answer, own) => answer.set('iss', `${own}/`),
    true,
  ),
  issuer(
    'issuer-of-a-refusal',
    'A refusal of another issuer, with a text for the person.',
    (answer) => {
      answer.delete('code')
      answer.set('error', 'access_denied')
      answer.set('error_description', 'MARK-OF-THE-ATTACKER')
      answer.set('iss', 'https://evil.example')
    },
    true,
  ),
]

const SCRIPT = '<script>alert(1)</script>"\'><img src=x onerror=alert(1)>'

/** Whether a browser would run something of a page. */
function runs({ body, headers }: Reply): boolean {
  const type = String(headers['content-type'] ?? '')
  const plain = type.startsWith('text/plain') && headers['x-content-type-options'] === 'nosniff'
  return !plain && /<script>alert|<img src=x/.test(body)
}

const listener: readonly Attack[] = [
  {
    name: 'callback-with-markup',
    attack: 'Refusals with markup in every parameter, one with the right state.',
    expectation: 'No page has the markup as markup.',
    async run(stage) {
      const waiting = await awaitPerson(stage)
      const text = encodeURIComponent(SCRIPT)
      const query = `error=${text}&error_description=${text}&error_uri=${text}&code=${text}`
      const stray = await knock(waiting.redirect, callback(waiting, query))
      check(!runs(stray), 'the page of a stray refusal runs it')
      const genuine = await knock(
        waiting.redirect,
        callback(waiting, `error=${text}&error_description=${text}&state=${waiting.state}`),
      )
      check(!runs(genuine), 'the page of the refusal runs it')
    },
  },
  {
    name: 'callback-replayed',
    attack: 'The answer of a sign-in that succeeded is sent again.',
    expectation: 'The code is redeemed once.',
    async run(stage) {
      let answer = ''
      const waiting = await awaitPerson(stage, {
        script: { authorize: (parameters) => void (answer = String(parameters)) },
      })
      await genuineSucceeds(waiting)
      await knock(waiting.redirect, callback(waiting, answer))
      await settle(200)
      const { tokenCalls } = waiting.world.authority
      check(tokenCalls.length === 1, `${tokenCalls.length} token requests`)
    },
  },
  {
    name: 'code-of-another-sign-in',
    attack: "The attacker's own code comes with the right state (code injection).",
    expectation: 'The token request carries a verifier that only fits the own code: no sign-in.',
    async run(stage) {
      const waiting = await awaitPerson(stage)
      const own = new URL(waiting.link)
      own.searchParams.set('code_challenge', 'x'.repeat(43))
      const { headers } = await fetch(own, { redirect: 'manual' })
      const code = new URL(headers.get('location') ?? '').searchParams.get('code') ?? ''
      await knock(waiting.redirect, callback(waiting, `code=${code}&state=${waiting.state}`))
      await settle(300)
      const { program, world } = waiting
      check(
        program.answers(0).every((answer) => !('result' in answer)),
        'the host got a result',
      )
      const sent = world.authority.tokenCalls.map(({ form }) => form.get('code_verifier'))
      check(!sent.includes(null), 'a code was sent without a verifier')
    },
  },
  {
    name: 'guessable-sign-ins',
    attack: 'Somebody who has seen one sign-in guesses the next one.',
    expectation: 'State and PKCE challenge (S256) are new each time, the state has 128 bits.',
    async run(stage) {
      const [one, two] = await Promise.all([awaitPerson(stage), awaitPerson(stage)])
      const parameters = [one, two].map(({ link }) => new URL(link).searchParams)
      for (const name of ['state', 'code_challenge']) {
        const [first, second] = parameters.map((all) => all.get(name))
        check(first !== null && first !== second, `${name} is missing or the same`)
      }
      for (const all of parameters) {
        check(all.get('code_challenge_method') === 'S256', 'the method is not S256')
        check((all.get('state') ?? '').replaceAll(/[^\w]/g, '').length >= 20, 'the state is short')
      }
    },
  },
  {
    name: 'listener-for-the-network',
    attack: 'Another machine connects to the listener of the sign-in.',
    expectation: 'It listens on loopback addresses only.',
    async run(stage) {
      const { redirect } = await awaitPerson(stage)
      const port = Number(redirect.port).toString(16).toUpperCase().padStart(4, '0')
      const addresses = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A /g)]
          .filter(([, , own]) => own === port)
          .map(([, address]) => address),
      )
      check(addresses.length > 0, 'nothing listens')
      const loopback = new Set(['0100007F', '00000000000000000000000001000000'])
      check(
        addresses.every((address) => loopback.has(address!)),
        `on ${addresses.join(', ')}`,
      )
    },
  },
  {
    name: 'listener-under-load',
    attack: 'A local program opens 300 connections to the listener and says nothing.',
    expectation: 'The genuine sign-in still succeeds.',
    async run(stage) {
      const waiting = await awaitPerson(stage)
      const { hostname, port } = waiting.redirect
      const sockets = Array.from({ length: 300 }, () => connect(Number(port), hostname))
      for (const socket of sockets) socket.on('error', () => {}) // refused is fine
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy()
      })
      await settle(200)
      await genuineSucceeds(waiting)
    },
  },
  {
    name: 'listener-after-the-host',
    attack: 'The host goes while the person has not signed in yet.',
    expectation: 'The program ends within 5 s, and nobody listens any more.',
    async run(stage) {
      const { program, redirect } = await awaitPerson(stage)
      program.end()
      await program.exit(5_000)
      check((await knock(redirect, '/')).status === 0, 'the listener is still there')
    },
  },
  {
    name: 'listener-after-sigterm',
    attack: 'The program gets SIGTERM while the person has not signed in yet.',
    expectation: 'It ends within 5 s, and nobody listens any more.',
    async run(stage) {
      const { program, redirect } = await awaitPerson(stage)
      program.signal('SIGTERM')
      await program.exit(5_000)
      check((await knock(redirect, '/')).status === 0, 'the listener is still there')
    },
  },
  {
    name: 'port-taken-by-another-program',
    attack: 'Another program listens at the port of the last sign-in, and keeps what it is sent.',
    expectation: 'No code reaches it: the sign-in goes elsewhere, or there is none.',
    async run(stage) {
      const world = await startWorld()
      const first = stage.start(world.mcp.url)
      first.write(initialize(0))
      const { redirect } = await page(first)
      await first.kill()
      await first.exit()
      const heard: string[] = []
      const squatter = createServer((socket) => {
        socket.on('error', () => {}) // cut by the other side
        socket.on('data', (chunk) => heard.push(chunk.toString('latin1')))
      })
      await new Promise<void>((resolve, reject) => {
        squatter.once('error', reject)
        squatter.listen(Number(redirect.port), '127.0.0.1', resolve)
      }).catch(() => {
        throw new DoesNotApply('its port cannot be taken')
      })
      onTestFinished(() => void squatter.close())
      const second = stage.start(world.mcp.url, { home: first.home })
      second.write(initialize(0))
      const taken = await Promise.race([
        second.link().then((link) => link),
        second.ending(0).then(() => undefined),
      ])
      if (taken !== undefined) await Promise.race([visit(taken).catch(() => {}), settle(2_000)])
      const codes = heard.filter((text) => text.includes('code='))
      check(codes.length === 0, `it heard ${String(codes[0]).slice(0, 100)}`)
    },
  },
]

/** What reaches the listener of a sign-in without being the answer to it. */
export const callbacks: Group = {
  title: 'The callback of a sign-in',
  attacks: [...forged, ...mixedUp, ...listener],
}
