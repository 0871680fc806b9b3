import { readFrame, slice, type Frame } from '../frame.ts'
import type { HttpResponse } from '../http/client.ts'
import { locate, valueAt } from '../json/locate.ts'
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
  const params = call.params === undefined ? Buffer.from('{}') : slice(call.chunks, call.params)
  const span = locate(params, '_meta')
  const meta = span === undefined ? '{}' : params.toString('utf8', span.start, span.end)
  let cursor: unknown
  for (let page = 0; page < MAX_PAGES; page++) {
    const position = cursor === undefined ? '' : `"cursor":${JSON.stringify(cursor)},`
    const list = readFrame(
      `{"jsonrpc":"2.0","id":"bridge-tools-${page}","method":"tools/list","params":{${position}"_meta":${meta}}}`,
    )
    if (list === undefined) return
    const response = await post(list)
    cursor = undefined
    const learn = (answer: Frame): undefined => {
      tools.learn(answer)
      if (answer.result !== undefined) {
        cursor = valueAt(slice(answer.chunks, answer.result), 'nextCursor')
      }
    }
    await readAnswers(response, learn, {}, log, () => {})
    if (cursor === undefined) return
  }
}
