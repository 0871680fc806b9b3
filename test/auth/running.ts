import { onTestFinished } from 'vitest'
import {
  type Authorizer,
  type AuthorizerWorld,
  createAuthorizer,
  type Refusal,
  type Renewal,
} from '../../src/auth/index.ts'
import type { AuthOptions } from '../../src/auth/options.ts'
import { openCredentials } from '../../src/store/credentials.ts'
import type { ServerRecord } from '../../src/store/record.ts'
import { type KeptLog, keptLog } from '../support/log.ts'
import { plainNetwork } from '../support/network.ts'
import { until } from '../support/until.ts'
import { authOptions } from './context.ts'
import type { World } from './world.ts'

/** The authorization of one bridge, in this process: several in one folder are as several bridges. */
export interface Running extends Authorizer {
  readonly log: KeptLog
  /** What becomes of a request that the server refuses; with the token in use if nothing else is said. */
  refused(more?: Partial<Refusal>): Promise<Renewal>
  /** The page that waits for the person; another one than `before`. */
  page(before?: string): Promise<string>
}

/** Starts one that opens no browser; it ends with the test. */
export function startAuthorizer(
  { mcp }: Pick<World, 'mcp'>,
  folder: string,
  options: Partial<AuthOptions> = {},
  more: Partial<AuthorizerWorld> = {},
): Running {
  const log = keptLog()
  const authorizer = createAuthorizer({
    server: new URL(mcp.url),
    options: authOptions({ browser: false, ...options }),
    folder,
    vault: undefined,
    idpVault: undefined,
    connector: plainNetwork().connector,
    issuerRefusal: () => undefined,
    log,
    env: { MCP_REMOTE_CONFIG_DIR: folder },
    now: Date.now,
    ...more,
  })
  onTestFinished(() => authorizer.close())
  return {
    ...authorizer,
    log,
    refused: (change) =>
      authorizer.renew({
        status: 401,
        authenticate: [],
        credential: authorizer.credential(),
        round: 0,
        stepUps: 0,
        background: false,
        operation: 'POST tools/call',
        ...change,
      }),
    page: (before) =>
      until('a page', () => {
        const link = authorizer.pending()?.link
        return link !== before && link
      }),
  }
}

/** A refusal for want of a scope. */
export function lacking(scope: string): Partial<Refusal> {
  return { status: 403, authenticate: [`Bearer error="insufficient_scope", scope="${scope}"`] }
}

/** Changes what is stored about the server, as another process does; `undefined` deletes it. */
export async function changeStored(
  { mcp }: Pick<World, 'mcp'>,
  folder: string,
  change: (record: ServerRecord) => ServerRecord | undefined,
): Promise<void> {
  const key = { server: new URL(mcp.url), resource: undefined, profile: 'default' }
  const store = openCredentials(folder, key, keptLog(), new AbortController().signal)
  await store.exclusive(({ record, save, remove }) => {
    const changed = change(record)
    return changed === undefined ? remove() : save(changed)
  })
}
