import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { TAB_PAUSE_MS } from '../limits.ts'
import type { PendingCode, PendingDevice, PendingFlow, ServerRecord } from '../store/record.ts'
import { isOpenable, openBrowser } from './browser.ts'
import type { AuthContext } from './context.ts'
import { AuthFailure } from './failure.ts'
import { covers } from './scopes.ts'
import { describeSurroundings, signInInstructions, type Surroundings } from './surroundings.ts'

/** Where we run, as far as a sign-in is concerned. */
export function surroundingsOf({ env }: AuthContext): Surroundings {
  return describeSurroundings(env, process.platform, (path) => readFileSync(path, 'utf8'))
}

/**
 * Whether a tab may be opened: not for a host that starts us again while the last tab is still
 * there. Another set of scopes is another question, which that tab does not ask.
 */
export function mayOpenTab(
  { options, now }: AuthContext,
  record: ServerRecord,
  scope: string | undefined,
): boolean {
  const { tab } = record
  if (!options.browser) return false
  return tab === undefined || now() - tab.openedAt > TAB_PAUSE_MS || !covers(tab.scope, scope)
}

/** Refuses a page that must not be opened, before anybody is asked to. */
export function checkLink(link: string, { server }: AuthContext): void {
  if (URL.canParse(link) && isOpenable(new URL(link))) return
  throw new AuthFailure(
    'refused',
    `${server.host} wants a page opened that is not https; it was not opened.`,
  )
}

/** Tells the person where to sign in: on stderr in any case, in a browser if that may be. */
export function announce(context: AuthContext, flow: PendingFlow, openTab: boolean): void {
  const { log, env } = context
  const surroundings = surroundingsOf(context)
  for (const line of instructions(context, flow, surroundings)) {
    if (line.trim() !== '') log.warn(line)
  }
  if (!openTab) return
  const open = async (target: string) => (await import('open')).default(target)
  const world = { platform: process.platform, env, surroundings, spawn, open }
  openBrowser(new URL(flow.link), world).catch((error: unknown) => {
    log.warn(`no browser could be opened: ${(error as Error).message}`)
  })
}

function instructions(
  { options }: AuthContext,
  flow: PendingFlow,
  surroundings: Surroundings,
): readonly string[] {
  if (flow.kind === 'device') return deviceInstructions(flow)
  if (options.paste) return pasteInstructions(flow)
  const port = Number(new URL(flow.redirectUri).port)
  return signInInstructions(flow.link, port, surroundings).split('\n')
}

function pasteInstructions({ link }: PendingCode): readonly string[] {
  return [
    'To sign in, open this address in a browser on any machine:',
    `  ${link}`,
    'After that the browser shows a page that does not load. Paste its address here:',
  ]
}

/** The code is shown even when the link carries it: the person shall compare (RFC 8628 §3.3.1). */
function deviceInstructions({ link, userCode }: PendingDevice): readonly string[] {
  return [
    'To sign in, open this address on any device:',
    `  ${link}`,
    `and enter the code ${userCode}`,
  ]
}
