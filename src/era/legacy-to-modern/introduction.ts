import { type Frame } from '../../frame.ts'
import { withMembers } from '../../json/edit.ts'
import { locate, valueAt } from '../../json/locate.ts'
import { objectAt, paramsOf } from '../claims.ts'
import { LEGACY_VERSIONS, META, NEWEST_LEGACY_VERSION, TASKS_EXTENSION } from '../vocabulary.ts'

/** The InitializeResult that a DiscoverResult amounts to. */
export function initializeResult(initialize: Frame, discovered: Buffer, host: string): Buffer {
  const asked = valueAt(paramsOf(initialize), 'protocolVersion')
  const version = LEGACY_VERSIONS.find((known) => known === asked) ?? NEWEST_LEGACY_VERSION
  const members: (string | Buffer)[] = [
    `{"protocolVersion":${JSON.stringify(version)},"capabilities":`,
    capabilities(discovered),
    ',"serverInfo":',
    serverInfo(discovered, host),
  ]
  const instructions = locate(discovered, 'instructions')
  if (instructions !== undefined && discovered[instructions.start] === 0x22) {
    members.push(',"instructions":', discovered.subarray(instructions.start, instructions.end))
  }
  return Buffer.concat([...members, '}'].map((part) => Buffer.from(part)))
}

/** What the server can do, without the extension that the initialize era cannot speak. */
function capabilities(discovered: Buffer): Buffer {
  const source = objectAt(discovered, 'capabilities') ?? Buffer.from('{}')
  const extensions = objectAt(source, 'extensions')
  if (extensions === undefined) return source
  return withMembers(source, {
    extensions: withMembers(extensions, { [TASKS_EXTENSION]: undefined }),
  })
}

/** Servers may keep their name to themselves now; before, it was required. */
function serverInfo(discovered: Buffer, host: string): Buffer {
  const info = objectAt(discovered, '_meta', META.serverInfo)
  const complete =
    info !== undefined &&
    typeof valueAt(info, 'name') === 'string' &&
    typeof valueAt(info, 'version') === 'string'
  return complete ? info : Buffer.from(JSON.stringify({ name: host, version: 'unknown' }))
}
