import { BridgeError } from '../errors.ts'
import { readFrame } from '../frame.ts'
import { valueAt } from '../json/locate.ts'

/** JSON numbers (RFC 8259 §6): what is one is sent as it was typed, however many digits it has. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

const INTEGER = /^-?(0|[1-9]\d*)$/

/**
 * The arguments of a call as JSON text: a JSON object as it was typed, or `key=value` words, each of
 * the type that the tool's schema gives it. Throws `BridgeError` for what the schema cannot mean.
 */
export function toolArguments(words: readonly string[], tool: Buffer | undefined): string {
  const [first] = words
  if (first?.trimStart().startsWith('{') === true) {
    if (words.length > 1) {
      throw new BridgeError('usage', `Behind a JSON object nothing can stand: ${words[1]}`)
    }
    return objectText(first)
  }
  const members = words.map((word) => {
    const at = word.indexOf('=')
    if (at < 1) {
      throw new BridgeError('usage', `Neither key=value nor a JSON object: ${word}`)
    }
    const name = word.slice(0, at)
    return `${JSON.stringify(name)}:${typed(name, word.slice(at + 1), tool)}`
  })
  return `{${members.join(',')}}`
}

function objectText(text: string): string {
  try {
    JSON.parse(text)
  } catch {
    throw new BridgeError('usage', 'The arguments are not JSON.', {
      hint: 'Quote them for the shell: \'{"key": "value"}\', or use key=value.',
    })
  }
  // White space between values may be a line break, which a frame must not have (MCP, stdio).
  const frame = readFrame(Buffer.from(text))
  return frame === undefined ? text : Buffer.concat(frame.chunks).toString('utf8')
}

/** A value as JSON text. Without a schema what reads as JSON is JSON, and everything else a string. */
function typed(name: string, value: string, tool: Buffer | undefined): string {
  const types = typesOf(tool, name)
  for (const type of types) {
    const text = asType(type, value)
    if (text !== undefined) return text
  }
  if (types.length > 0) {
    throw new BridgeError('usage', `${name} is no ${types.join(' or ')}: ${value}`, {
      hint: 'bridge tools <server_url> --json shows what the tool takes.',
    })
  }
  return asType('object', value) ?? asType('array', value) ?? asScalar(value)
}

function asScalar(value: string): string {
  const literal = NUMBER.test(value) || ['true', 'false', 'null'].includes(value)
  return literal ? value : JSON.stringify(value)
}

/** What the schema says of a property; strings last, because everything is one. */
function typesOf(tool: Buffer | undefined, name: string): readonly string[] {
  if (tool === undefined) return []
  const type = valueAt(tool, 'inputSchema', 'properties', name, 'type')
  const types = (Array.isArray(type) ? type : [type]).filter((word) => typeof word === 'string')
  return types.sort((a, b) => Number(a === 'string') - Number(b === 'string'))
}

function asType(type: string, value: string): string | undefined {
  switch (type) {
    case 'integer':
      return INTEGER.test(value) ? value : undefined
    case 'number':
      return NUMBER.test(value) ? value : undefined
    case 'boolean':
      return ['true', 'false'].includes(value) ? value : undefined
    case 'null':
      return value === 'null' ? value : undefined
    case 'object':
    case 'array':
      return isJson(value, type === 'object' ? '{' : '[') ? value : undefined
    default:
      return JSON.stringify(value)
  }
}

function isJson(value: string, opening: string): boolean {
  if (!value.trimStart().startsWith(opening)) return false
  try {
    JSON.parse(value)
    return true
  } catch {
    return false
  }
}
