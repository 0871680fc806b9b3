import { request as httpRequest } from 'node:http'
import { visit } from '../auth/browser-stub.ts'
import { startWorld, type World, type WorldOptions } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { DoesNotApply, type Stage } from './attack.ts'
import type { Program, StartOptions } from './program.ts'

/** A program whose person is asked to sign in. */
export interface Waiting {
  readonly world: World
  readonly program: Program
  readonly link: string
  /** Where the browser will bring the code. */
  readonly redirect: URL
  readonly state: string
}

/** Starts a program against a server that wants a sign-in, up to the page for the person. */
export async function awaitPerson(
  stage: Stage,
  options: WorldOptions & { start?: StartOptions } = {},
): Promise<Waiting> {
  const world = await startWorld(options)
  const program = stage.start(world.mcp.url, options.start)
  program.write(initialize(0))
  return { world, program, ...(await page(program)) }
}

/** The page that a program sends its person to, taken apart; a row's premise, as `signIn`. */
export async function page(
  program: Program,
  nth = 0,
): Promise<{ link: string; redirect: URL; state: string }> {
  const link = await program.link(nth).catch((error: Error) => {
    throw new DoesNotApply(`it sends its person to no page: ${error.message}`)
  })
  const { searchParams } = new URL(link)
  const redirect = new URL(searchParams.get('redirect_uri') ?? 'about:blank')
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(redirect.hostname))
    throw new DoesNotApply('the browser does not come back to this machine')
  return { link, redirect, state: searchParams.get('state') ?? '' }
}

/** Starts a program and signs in; the row's premise, so that a failure is none of the attack. */
export async function signIn(
  stage: Stage,
  world: World,
  start: StartOptions = {},
): Promise<Program> {
  const program = stage.start(world.mcp.url, start)
  program.write(initialize(0))
  await visit((await page(program)).link)
  if ((await program.ending(0)) !== 'result') throw new DoesNotApply('it cannot sign in')
  return program
}

/** The genuine person comes at last, and gets in. */
export async function genuineSucceeds({ program, link }: Waiting): Promise<void> {
  const { status } = await visit(link)
  if (status >= 400) throw new Error(`the genuine sign-in was shown a page with status ${status}`)
  const ending = await program.ending(0)
  if (ending !== 'result') throw new Error(`the genuine sign-in ended in an ${ending}`)
}

/** What the listener of a sign-in said. */
export interface Reply {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

/** One request to the listener as only a program can make it; status 0 when it was cut. */
export function knock(
  { hostname, port }: URL,
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  return new Promise((resolve) => {
    const host = hostname.replaceAll(/[[\]]/g, '')
    const asking = httpRequest({ host, port, path, method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', () => {}) // cut; what came is what counts
      response.on('close', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      })
    })
    // A page that waits for the outcome of the sign-in has not refused anything.
    asking.setTimeout(3_000, () => asking.destroy())
    asking.on('error', () => resolve({ status: 0, headers: {}, body: '' }))
    asking.end()
  })
}
