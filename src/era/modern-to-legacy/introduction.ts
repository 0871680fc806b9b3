import { ServerError } from '../../errors.ts'
import { withMembers } from '../../json/edit.ts'
import { locate, valueAt } from '../../json/locate.ts'
import { notification, objectAt } from '../claims.ts'
import { LEGACY_VERSIONS, NEWEST_LEGACY_VERSION, TASKS_EXTENSION } from '../vocabulary.ts'
import type { Remote } from '../../channel.ts'
import type { Log } from '../../log.ts'
import type { Exchanges } from './exchanges.ts'
import type { RequestMeta } from './request-meta.ts'

/** How the server introduced itself; JSON source. */
export interface Introduction {
  readonly capabilities: Buffer
  readonly serverInfo: Buffer
  readonly instructions: Buffer | undefined
}

/** The one session behind requests that know of none. */
export interface Session {
  /** Opens it with the claims of the first request; the others wait. A failure is forgotten. */
  open(meta: RequestMeta): Promise<Introduction>
  /** Whether it is open. */
  introduction(): Introduction | undefined
}

export interface SessionContext {
  readonly server: Remote
  readonly exchanges: Exchanges
  readonly log: Log
  /** Host name of the server, for one that does not say what it is called. */
  readonly host: string
}

/** A session that is opened when somebody needs it. */
export function createSession({ server, exchanges, log, host }: SessionContext): Session {
  let known: Introduction | undefined
  let opening: Promise<Introduction> | undefined

  async function initialize(meta: RequestMeta): Promise<Introduction> {
    const result = await introduce(meta)
    // Both SDKs wait for the answer to this, too: some servers refuse what comes earlier.
    try {
      await server.send(notification('notifications/initialized')).done
    } catch (error) {
      log.warn(`notifications/initialized: ${(error as Error).message}`)
    }
    log.state({ part: 'session', what: 'opened for a stateless host' })
    const instructions = locate(result, 'instructions')
    known = {
      capabilities: objectAt(result, 'capabilities') ?? Buffer.from('{}'),
      serverInfo:
        objectAt(result, 'serverInfo') ??
        Buffer.from(JSON.stringify({ name: host, version: 'unknown' })),
      instructions: instructions && result.subarray(instructions.start, instructions.end),
    }
    return known
  }

  /** Asks in the newest version that has sessions, or in one that the server names instead. */
  async function introduce(meta: RequestMeta): Promise<Buffer> {
    try {
      return await exchanges.ask('initialize', initializeParams(meta, NEWEST_LEGACY_VERSION))
    } catch (error) {
      const version = otherVersion(error)
      if (version === undefined) throw error
      return exchanges.ask('initialize', initializeParams(meta, version))
    }
  }

  return {
    async open(meta) {
      const attempt = (opening ??= initialize(meta))
      try {
        return await attempt
      } catch (error) {
        if (opening === attempt) opening = undefined
        throw error
      }
    },
    introduction: () => known,
  }
}

/** The newest version of the initialize era that a refusal names. */
function otherVersion(error: unknown): string | undefined {
  if (!(error instanceof ServerError)) return undefined
  const supported = valueAt(error.object, 'data', 'supported')
  if (!Array.isArray(supported)) return undefined
  const known = LEGACY_VERSIONS.filter((version) => version !== NEWEST_LEGACY_VERSION)
  return known.findLast((version) => supported.includes(version))
}

function initializeParams({ capabilities, clientInfo }: RequestMeta, version: string): Buffer {
  return withMembers(Buffer.from('{}'), {
    protocolVersion: JSON.stringify(version),
    capabilities: legacyCapabilities(capabilities),
    clientInfo: clientInfo ?? '{"name":"unknown","version":"unknown"}',
  })
}

/** A stateless host cannot tell that its roots changed, and its tasks are not those of a session. */
function legacyCapabilities(capabilities: Buffer): Buffer {
  const extensions = objectAt(capabilities, 'extensions')
  return withMembers(capabilities, {
    ...(locate(capabilities, 'roots') && { roots: '{}' }),
    tasks: undefined,
    ...(extensions && { extensions: withMembers(extensions, { [TASKS_EXTENSION]: undefined }) }),
  })
}
