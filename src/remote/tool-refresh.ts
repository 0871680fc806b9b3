import { paramsOf, request, sourceAt } from '../era/claims.ts'
import { slice, type Frame } from '../frame.ts'
import type { HttpResponse } from '../http/client.ts'
import { valueAt } from '../json/locate.ts'
import type { Log } from '../log.ts'
import { readAnswers } from './answers.ts'
import type { ToolHeaders } from '../era/tool-headers.ts'

/** Pages of `tools/list` that are read; the largest known server fills three. */
const MAX_PAGES = 20

/**
 * Asks for the tools again after a call was refused for its headers (MCP 2026-07-28, Client
 * Behavior), in the name of that call: with its `_meta`, so under the same version and capabilities.
 */
export async function listToolsAgain(
  call: Frame,
  post: (list: Frame) => Promise<HttpResponse>,
  tools: ToolHeaders,
  log: Log,
): Promise<void> {
  const meta = sourceAt(paramsOf(call), '_meta')
  let cursor: unknown
  for (let page = 0; page < MAX_PAGES; page++) {
    const position = page === 0 ? '' : `"cursor":${JSON.stringify(cursor)},`
    const params = Buffer.from(`{${position}"_meta":${meta}}`)
    const response = await post(request(`"bridge-tools-${page}"`, 'tools/list', params))
    cursor = undefined
    const learn = (answer: Frame): undefined => {
      tools.learn(answer)
      if (answer.result !== undefined) {
        cursor = valueAt(slice(answer.chunks, answer.result), 'nextCursor')
      }
    }
    await readAnswers(response, learn, {}, log, () => {})
    // Many servers end with `null` what should have no such member.
    if (typeof cursor !== 'string') return
  }
}
