import { type Frame, readFrame, slice } from '../frame.ts'
import { withMembers } from '../json/edit.ts'
import { locate } from '../json/locate.ts'
import { META, MODERN_VERSION, TASKS_EXTENSION } from './vocabulary.ts'

/** What a host of the initialize era said once and the stateless era wants to hear in every request. */
export interface Claims {
  /** JSON source of the ClientCapabilities. */
  readonly capabilities: Buffer
  /** JSON source of the Implementation, when the host gave one. */
  readonly clientInfo: Buffer | undefined
}

const EMPTY = Buffer.from('{}')

/** The claims in the parameters of an `initialize`, or in the `_meta` of a modern request. */
export function claimsOf(frame: Frame): Claims {
  const params = paramsOf(frame)
  const meta = objectAt(params, '_meta') ?? EMPTY
  const capabilities =
    objectAt(meta, META.capabilities) ?? objectAt(params, 'capabilities') ?? EMPTY
  return {
    capabilities: modernCapabilities(capabilities),
    clientInfo: objectAt(meta, META.clientInfo) ?? objectAt(params, 'clientInfo'),
  }
}

/** Without what the stateless era does not have: changing roots, and tasks of the client. */
function modernCapabilities(capabilities: Buffer): Buffer {
  const roots = locate(capabilities, 'roots') === undefined ? undefined : '{}'
  const extensions = objectAt(capabilities, 'extensions')
  return withMembers(capabilities, {
    roots,
    tasks: undefined,
    ...(extensions && { extensions: withMembers(extensions, { [TASKS_EXTENSION]: undefined }) }),
  })
}

/** The parameters with the claims in `_meta`; the host's own keys there stay. */
export function withClaims(params: Buffer, claims: Claims, logLevel: string | undefined): Buffer {
  const meta = objectAt(params, '_meta') ?? EMPTY
  const changes = {
    [META.version]: JSON.stringify(MODERN_VERSION),
    [META.capabilities]: claims.capabilities,
    [META.clientInfo]: claims.clientInfo,
    [META.logLevel]: logLevel === undefined ? undefined : JSON.stringify(logLevel),
  }
  return withMembers(params, { _meta: withMembers(meta, changes) })
}

/** A `server/discover` of ours. */
export function discoverRequest(id: string, claims: Claims): Frame {
  return request(id, 'server/discover', withClaims(EMPTY, claims, undefined))
}

/** A request with these parameters; `id` is JSON source. */
export function request(id: string, method: string, params?: Buffer): Frame {
  const head = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)}`
  if (params === undefined) return readFrame(`${head}}`)!
  return readFrame(Buffer.concat([Buffer.from(`${head},"params":`), params, Buffer.from('}')]))!
}

/** A notification with these parameters. */
export function notification(method: string, params?: string): Frame {
  const rest = params === undefined ? '' : `,"params":${params}`
  return readFrame(`{"jsonrpc":"2.0","method":${JSON.stringify(method)}${rest}}`)!
}

/** The parameters of a message, `{}` when it has none. */
export function paramsOf(frame: Frame): Buffer {
  return frame.params === undefined ? EMPTY : slice(frame.chunks, frame.params)
}

/** The source of the object at a path; `undefined` when nothing or something else stands there. */
export function objectAt(text: Buffer, ...path: string[]): Buffer | undefined {
  const span = locate(text, ...path)
  if (span === undefined || text[span.start] !== 0x7b) return undefined
  return text.subarray(span.start, span.end)
}

/** The JSON source at a path; unlike a parsed value it can be compared whatever number it is. */
export function sourceAt(text: Buffer, ...path: string[]): string | undefined {
  const span = locate(text, ...path)
  return span && text.toString('utf8', span.start, span.end)
}

/** A message with other members; everything else of its text stays. */
export function withFrameMembers(
  frame: Frame,
  changes: Readonly<Record<string, string | Buffer | undefined>>,
): Frame {
  const text = slice(frame.chunks, { start: 0, end: frame.size })
  return readFrame(withMembers(text, changes)) ?? frame
}
