import type { Frame, RawId } from '../../frame.ts'
import { withMembers } from '../../json/edit.ts'
import { notification, paramsOf, withFrameMembers } from '../claims.ts'

/**
 * The cancellation of a request of ours.
 *
 * @param notice how the host said it, with a reason perhaps
 */
export function cancellation(id: RawId, notice?: Frame): Frame {
  if (notice === undefined) return notification('notifications/cancelled', `{"requestId":${id}}`)
  const params = withMembers(paramsOf(notice), { requestId: id, _meta: undefined })
  return withFrameMembers(notice, { params })
}
