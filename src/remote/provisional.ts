import { answer, errorFrame, type Frame, readFrame, slice } from '../frame.ts'
import { valueAt } from '../json/locate.ts'
import { RELAY_ERROR_CODE } from '../errors.ts'
import { LEGACY_VERSIONS } from '../era/vocabulary.ts'

/** Answers that the bridge gives in the server's place while a person still has to sign in. */

/** Name of the one tool that is there before the server is. */
export const SIGN_IN_TOOL = 'sign_in'

/** An InitializeResult for a server that has not been heard yet: it promises what may change. */
export function provisionalInitializeResult(initialize: Frame, host: string, link: string): Buffer {
  const asked = paramOf(initialize, 'protocolVersion')
  const version = LEGACY_VERSIONS.find((known) => known === asked) ?? LEGACY_VERSIONS.at(-1)
  return json({ protocolVersion: version, ...introduction(host, link) })
}

function introduction(host: string, link: string) {
  return {
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true },
    },
    serverInfo: { name: host, version: 'sign-in pending' },
    instructions:
      `${host} needs a sign-in before it can be used. Ask the user to open this link: ${link} ` +
      'The tools of the server appear as soon as that is done.',
  }
}

/** The answer to a request of the stateless era: what there is, or where to sign in. */
export async function statelessAnswer(request: Frame, host: string, link: string): Promise<Frame> {
  const { discoverResult, modernResult } = await import('../era/modern-to-legacy/results.ts')
  const { capabilities, serverInfo, instructions } = introduction(host, link)
  const introduced = {
    capabilities: json(capabilities),
    serverInfo: json(serverInfo),
    instructions: json(instructions),
  }
  const method = request.method!
  if (method === 'server/discover') return resultFrame(request.id!, discoverResult(introduced))
  const result =
    calledTool(request) === SIGN_IN_TOOL
      ? signInResult(host, link, undefined)
      : provisionalList(method, host)
  return result === undefined
    ? signInNeeded(request.id!, host, link)
    : resultFrame(request.id!, modernResult(method, result, introduced))
}

/** Results of the list methods: one tool that gives the link, and nothing else yet. */
export function provisionalList(method: string, host: string): Buffer | undefined {
  switch (method) {
    case 'tools/list':
      return json({ tools: [signInTool(host)] })
    case 'prompts/list':
      return json({ prompts: [] })
    case 'resources/list':
      return json({ resources: [] })
    case 'resources/templates/list':
      return json({ resourceTemplates: [] })
    default:
      return undefined
  }
}

/** The result of calling the sign-in tool. Without a link nobody has to sign in any more, or nobody can. */
export function signInResult(
  host: string,
  link: string | undefined,
  failure: string | undefined,
): Buffer {
  const failed = failure === undefined ? '' : `The sign-in to ${host} did not work: ${failure} `
  const text =
    link === undefined
      ? failed || `${host} does not wait for a sign-in any more.`
      : `${failed}To use ${host}, open this link and sign in: ${link}`
  return json({ content: [{ type: 'text', text }], isError: failure !== undefined })
}

/** Asks a host that can to show the link itself (MCP 2025-11-25, elicitation, URL mode). */
export function urlElicitation(id: string, host: string, link: string): Frame {
  const params = {
    mode: 'url',
    elicitationId: id,
    url: link,
    message: `${host} needs you to sign in.`,
  }
  const request = { jsonrpc: '2.0', id, method: 'elicitation/create', params }
  return readFrame(JSON.stringify(request))!
}

/** Whether the host has said that it can show links. */
export function canShowLinks(initialize: Frame): boolean {
  return paramOf(initialize, 'capabilities', 'elicitation', 'url') !== undefined
}

/** The refusal of a request that only the server itself could answer. */
export function signInNeeded(id: string, host: string, link: string | undefined): Frame {
  const hint = link === undefined ? 'Call the tool sign_in.' : `Open ${link} and sign in.`
  return errorFrame(id, {
    code: RELAY_ERROR_CODE,
    message: `${host} needs a sign-in first.`,
    data: { phase: 'authorization', hint },
  })
}

/** The `list_changed` notifications that fit the capabilities of an InitializeResult. */
export function listChanges(result: Buffer): Frame[] {
  return ['tools', 'prompts', 'resources']
    .filter((kind) => valueAt(result, 'capabilities', kind) !== undefined)
    .map((kind) => readFrame(`{"jsonrpc":"2.0","method":"notifications/${kind}/list_changed"}`)!)
}

/** The name of the tool that a `tools/call` is for. */
export function calledTool(frame: Frame): unknown {
  return frame.method === 'tools/call' ? paramOf(frame, 'name') : undefined
}

/** A result as a response frame. */
export function resultFrame(id: string, result: Buffer): Frame {
  return answer(id, 'result', result)
}

function signInTool(host: string): object {
  return {
    name: SIGN_IN_TOOL,
    title: `Sign in to ${host}`,
    description: `${host} needs the user to sign in. Returns the link; its tools appear afterwards.`,
    inputSchema: { type: 'object', properties: {} },
    annotations: { readOnlyHint: true, openWorldHint: true },
  }
}

function paramOf(frame: Frame, ...path: string[]): unknown {
  if (frame.params === undefined) return undefined
  return valueAt(slice(frame.chunks, frame.params), ...path)
}

function json(value: object | string): Buffer {
  return Buffer.from(JSON.stringify(value))
}
