import type { ServerError } from '../../errors.ts'
import type { Frame, RawId } from '../../frame.ts'
import { withMembers } from '../../json/edit.ts'
import { locate, members, valueAt } from '../../json/locate.ts'
import { objectAt, paramsOf, withFrameMembers } from '../claims.ts'
import { malformed } from '../refusals.ts'
import { isLogLevel, type LogLevel, META, MODERN_VERSION } from '../vocabulary.ts'
import { invalidParams, unsupportedVersion } from './refusals.ts'

/** What a request of the stateless era says of itself (MCP 2026-07-28, basic, `_meta`). */
export interface RequestMeta {
  /** JSON source of the ClientCapabilities. */
  readonly capabilities: Buffer
  /** JSON source of the Implementation. */
  readonly clientInfo: Buffer | undefined
  readonly logLevel: LogLevel | undefined
  /** JSON source. */
  readonly progressToken: string | undefined
}

/** Keys of `_meta` that MCP defines; the initialize era knows none of those that requests carry. */
const RESERVED = 'io.modelcontextprotocol/'

/** Reads the `_meta` of a request, or says why a server would refuse it. */
export function readMeta(frame: Frame): RequestMeta | ServerError {
  const wrong = malformed(frame)
  if (wrong !== undefined) return wrong
  const params = paramsOf(frame)
  const version = valueAt(params, '_meta', META.version)
  if (version !== MODERN_VERSION) return unsupportedVersion(version)
  const logLevel = valueAt(params, '_meta', META.logLevel)
  if (logLevel !== undefined && !isLogLevel(logLevel)) {
    return invalidParams(`_meta["${META.logLevel}"] is no log level.`)
  }
  const token = locate(params, '_meta', 'progressToken')
  return {
    capabilities: objectAt(params, '_meta', META.capabilities)!,
    clientInfo: objectAt(params, '_meta', META.clientInfo),
    logLevel,
    progressToken: token && params.toString('utf8', token.start, token.end),
  }
}

/**
 * A request of the host as a session knows it: under its own id and without what the stateless era
 * added. Its progress token is its id, which no other open request has.
 *
 * @param task whether it is to be run as a task (MCP 2025-11-25, tasks)
 */
export function legacyRequest(frame: Frame, id: RawId, task = false): Frame {
  const params = paramsOf(frame)
  const changes = {
    _meta: legacyMeta(objectAt(params, '_meta'), id),
    inputResponses: undefined,
    requestState: undefined,
    task: task ? '{}' : undefined,
  }
  return withFrameMembers(frame, { id, params: withMembers(params, changes) })
}

function legacyMeta(meta: Buffer | undefined, progressToken: string): Buffer | undefined {
  if (meta === undefined) return undefined
  const names = [...members(meta, locate(meta)!)].map(({ name }) => name)
  const dropped = names.filter((name) => name.startsWith(RESERVED))
  if (dropped.length === names.length) return undefined
  const changes: Record<string, string | undefined> = {}
  for (const name of dropped) changes[name] = undefined
  if (names.includes('progressToken')) changes['progressToken'] = progressToken
  return withMembers(meta, changes)
}
