import { RelayError } from '../errors.ts'
import { valueAt } from '../json/locate.ts'
import type { Answer } from './ask.ts'
import { CODE, isModern, LEGACY_VERSIONS } from './vocabulary.ts'

/** What the answer to the host's `initialize` says about the server. */
export type InitializeEvidence =
  /** It is the host's answer, whatever it says. */
  | { readonly kind: 'answer' }
  /** The server has an `initialize`, and the host's session is open. */
  | { readonly kind: 'legacy' }
  /** A server of both eras that names a version without `initialize` (rust-sdk PR 1171). */
  | { readonly kind: 'echo' }
  /** It would take this version. */
  | { readonly kind: 'version'; readonly version: string }
  /** It knows nothing older than the stateless era. */
  | { readonly kind: 'modern' }
  /** It may be so; `server/discover` will tell. */
  | { readonly kind: 'unclear' }

/** What the answer to `server/discover` says about the server. */
export type DiscoverEvidence =
  | { readonly kind: 'modern'; readonly versions: readonly string[] }
  | { readonly kind: 'legacy' }
  /** 401 or 403: says nothing about the era, unless the credential is good for everything else. */
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'nothing' }

/** Answers to a POST that may mean that nothing of the kind is here. */
const NOT_HERE: ReadonlySet<number | undefined> = new Set([400, 404, 405])

/** 4xx that speak of the request's circumstances and not of what the server knows. */
const CIRCUMSTANCES: ReadonlySet<number> = new Set([408, 425, 429])

/** Reads the answer to an `initialize` of the initialize era. */
export function initializeEvidence(answer: Answer): InitializeEvidence {
  switch (answer.kind) {
    case 'result': {
      const version = valueAt(answer.result, 'protocolVersion')
      return { kind: typeof version === 'string' && isModern(version) ? 'echo' : 'legacy' }
    }
    case 'failure': {
      const status = statusOf(answer)
      return { kind: NOT_HERE.has(status) ? 'unclear' : 'answer' }
    }
    case 'error':
      return refusedInitialize(answer.error, answer.httpStatus)
  }
}

function refusedInitialize(error: Buffer, httpStatus: number | undefined): InitializeEvidence {
  const code = valueAt(error, 'code')
  const supported = supportedVersions(error)
  const usable = LEGACY_VERSIONS.findLast((version) => supported.includes(version))
  switch (code) {
    case CODE.headerMismatch:
    case CODE.missingCapability:
      return { kind: 'modern' }
    case CODE.unsupportedVersion:
      return usable === undefined ? { kind: 'modern' } : { kind: 'version', version: usable }
    case CODE.methodNotFound:
      return { kind: isCircumstance(httpStatus) ? 'answer' : 'unclear' }
    case CODE.invalidParams:
    case CODE.invalidRequest:
      if (usable !== undefined) return { kind: 'version', version: usable }
      return { kind: httpStatus === 400 || httpStatus === 404 ? 'unclear' : 'answer' }
    default:
      return { kind: httpStatus === 405 ? 'unclear' : 'answer' }
  }
}

/** Reads the answer to a `server/discover`. */
export function discoverEvidence(answer: Answer): DiscoverEvidence {
  if (answer.kind === 'result') {
    const versions = stringsAt(answer.result, 'supportedVersions')
    if (versions.some(isModern)) return { kind: 'modern', versions }
    return { kind: versions.length > 0 ? 'legacy' : 'nothing' }
  }
  const status = statusOf(answer)
  if (status === 401 || status === 403) return { kind: 'unauthorized' }
  if (answer.kind === 'error') {
    const code = valueAt(answer.error, 'code')
    const versions = supportedVersions(answer.error)
    const modern =
      code === CODE.headerMismatch ||
      code === CODE.missingCapability ||
      (code === CODE.unsupportedVersion && (versions.length === 0 || versions.some(isModern)))
    if (modern) return { kind: 'modern', versions }
    return { kind: isCircumstance(status) ? 'nothing' : 'legacy' }
  }
  const refused = status !== undefined && status >= 400 && !isCircumstance(status)
  return { kind: refused ? 'legacy' : 'nothing' }
}

/** The versions that a JSON-RPC error names in `data.supported` (MCP, versioning and lifecycle). */
function supportedVersions(error: Buffer): string[] {
  return stringsAt(error, 'data', 'supported')
}

function stringsAt(text: Buffer, ...path: string[]): string[] {
  const value = valueAt(text, ...path)
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function statusOf(answer: Answer): number | undefined {
  switch (answer.kind) {
    case 'result':
      return undefined
    case 'error':
      return answer.httpStatus
    case 'failure':
      return answer.error instanceof RelayError ? answer.error.details.httpStatus : undefined
  }
}

/** Authorization, load and breakdowns are never evidence of an era. */
function isCircumstance(status: number | undefined): boolean {
  if (status === undefined) return false
  return status === 401 || status === 403 || isBusy(status)
}

/** Load and breakdowns: the same request may be answered later. */
export function isBusy(status: number | undefined): boolean {
  return status !== undefined && (CIRCUMSTANCES.has(status) || status >= 500)
}
