import { expect } from 'vitest'
import {
  type BridgeOptions,
  type BridgeProcess,
  initialize,
  startBridge,
} from '../support/bridge.ts'
import { until } from '../support/until.ts'
import { type BrowserStub, stubBrowser, visit } from './browser-stub.ts'
import type { World } from './world.ts'

/** A bridge whose person can be made to sign in. */
export interface Host extends BridgeProcess {
  readonly browser: BrowserStub
}

/** Starts a bridge with a stubbed browser. */
export function startHost(
  url: string,
  options: BridgeOptions & { browser?: BrowserStub } = {},
): Host {
  const browser = options.browser ?? stubBrowser()
  const env = { ...browser.env, ...options.env }
  return { ...startBridge(url, { ...options, env }), browser }
}

/** The address that a bridge has printed; the `nth` one, waited for. */
export function printedLink(bridge: BridgeProcess, nth = 0): Promise<string> {
  const links = (): string[] =>
    [...bridge.stderr().matchAll(/^bridge:\s+(https?:\S+)$/gm)].map((match) => match[1]!)
  return until('a printed address', () => links()[nth], { seen: bridge.stderr })
}

/** Initializes and signs in; the folder of the bridge then holds the tokens. */
export async function signedIn(
  world: World,
  options: BridgeOptions & { browser?: BrowserStub } = {},
): Promise<Host> {
  const host = startHost(world.mcp.url, options)
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect(await host.answer(0)).toHaveProperty('result')
  return host
}

/** Closes stdin and waits for a clean end. */
export async function finish(bridge: BridgeProcess): Promise<void> {
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
}

/** A request that any server answers. */
export function request(id: unknown, method = 'tools/list', params: object = {}): object {
  return { jsonrpc: '2.0', id, method, params }
}
