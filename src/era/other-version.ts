import type { Frame } from '../frame.ts'
import { withMembers } from '../json/edit.ts'
import { valueAt } from '../json/locate.ts'
import { paramsOf, withFrameMembers } from './claims.ts'
import type { InitializeEvidence } from './evidence.ts'
import { NEWEST_LEGACY_VERSION } from './vocabulary.ts'

/** The version to ask for instead, when the answer to `initialize` suggests one. */
export function otherVersion(evidence: InitializeEvidence, initialize: Frame): string | undefined {
  if (evidence.kind === 'version') return evidence.version
  const asked = valueAt(paramsOf(initialize), 'protocolVersion')
  return evidence.kind === 'echo' && asked !== NEWEST_LEGACY_VERSION
    ? NEWEST_LEGACY_VERSION
    : undefined
}

/** The same `initialize` for another version. */
export function withVersion(initialize: Frame, version: string): Frame {
  const params = withMembers(paramsOf(initialize), { protocolVersion: JSON.stringify(version) })
  return withFrameMembers(initialize, { params })
}
