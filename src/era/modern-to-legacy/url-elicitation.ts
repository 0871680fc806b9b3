import { locate, items, valueAt } from '../../json/locate.ts'
import { withMembers } from '../../json/edit.ts'
import { inputRequest, type Question } from './questions.ts'

/** A page that a person has to visit before a call can succeed (MCP 2025-11-25, elicitation, URL mode). */
export interface RequiredPage {
  readonly elicitationId: string
  readonly question: Question
}

/** The call needs pages to be visited first (MCP 2025-11-25, elicitation). */
const URL_ELICITATION_REQUIRED = -32042

/**
 * The pages that an error asks for, none when it is another error.
 *
 * @param error JSON source of the error object
 */
export function requiredPages(error: Buffer): RequiredPage[] {
  if (valueAt(error, 'code') !== URL_ELICITATION_REQUIRED) return []
  const list = locate(error, 'data', 'elicitations')
  if (list === undefined) return []
  const pages = [...items(error, list)].filter(({ start }) => error[start] === 0x7b)
  return pages.map(({ start, end }) => {
    const params = error.subarray(start, end)
    const asked = withMembers(params, { mode: '"url"', elicitationId: undefined, _meta: undefined })
    const method = 'elicitation/create'
    const entry = inputRequest(method, asked)
    return {
      elicitationId: String(valueAt(params, 'elicitationId')),
      question: { id: undefined, method, entry, task: undefined },
    }
  })
}
