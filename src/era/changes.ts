import type { Frame, RawId } from '../frame.ts'
import { valueAt } from '../json/locate.ts'
import { notification } from './claims.ts'
import { META } from './vocabulary.ts'

/** Members of a subscription's filter and what they let through (MCP 2026-07-28, Subscriptions). */
const LISTS: Readonly<Record<string, string>> = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
}

/**
 * One notification for everything that a subscription covers: after a time without a stream nobody
 * knows what has changed. `subscription` is the JSON source of its id, when the host knows it.
 */
export function changesIn(filter: Buffer, subscription?: RawId): Frame[] {
  const meta = subscription === undefined ? '' : `"_meta":{"${META.subscription}":${subscription}}`
  const lists = Object.keys(LISTS).filter((name) => valueAt(filter, name) === true)
  const uris = valueAt(filter, 'resourceSubscriptions')
  const resources = Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : []
  return [
    ...lists.map((name) => notification(LISTS[name]!, meta === '' ? undefined : `{${meta}}`)),
    ...resources.map((uri) => {
      const members = [`"uri":${JSON.stringify(uri)}`, meta].filter((member) => member !== '')
      return notification('notifications/resources/updated', `{${members.join(',')}}`)
    }),
  ]
}
