import type { Node } from 'jsonc-parser'
import { isDeepStrictEqual } from 'node:util'
import { type Editor, lineEndOf, notEditable } from './editor.ts'
import {
  COMMA,
  isComment,
  isLineBreak,
  isLineComment,
  isSpace,
  type Property,
  propertiesOf,
  propertyOf,
  tokensOf,
  treeOf,
  valueOf,
} from './json-tree.ts'
import type { Json } from './json-value.ts'
import type { Members } from './record.ts'

/** Edits JSON, and JSON with comments unless `strict`. */
export function jsonEditor(file: string, strict: boolean): Editor {
  const editor: Editor = {
    read: (text) => valueOf(treeOf(text, file, strict)),
    put(text, path, members) {
      const found = nodeAt(text, path)
      if (found?.type !== 'object') return write(text, path, withoutUndefined(members))
      let changed = text
      for (const [name, value] of Object.entries(members)) {
        const object = nodeAt(changed, path)!
        const property = propertyOf(object, name)
        if (value === undefined) {
          if (property !== undefined) changed = removed(changed, object, property)
        } else if (property === undefined || !isDeepStrictEqual(valueOf(property.value), value)) {
          changed = write(changed, [...path, name], value)
        }
      }
      return changed
    },
    remove(text, path) {
      const object = nodeAt(text, path.slice(0, -1))
      const property = object && propertyOf(object, path.at(-1)!)
      return property === undefined ? text : removed(text, object!, property)
    },
    source(text, path) {
      const node = nodeAt(text, path)
      return node && text.slice(node.offset, node.offset + node.length)
    },
    restore: (text, path, source) => placed(text, path, () => source),
  }
  return editor

  function nodeAt(text: string, path: readonly string[]): Node | undefined {
    let node = treeOf(text, file, strict)
    for (const name of path) node = node && propertyOf(node, name)?.value
    return node
  }

  function write(text: string, path: readonly string[], value: Json): string {
    return placed(text, path, (style) => rendered(value, style))
  }

  /** Puts a value in the place of the one at the path, or behind the last member that is there. */
  function placed(text: string, path: readonly string[], render: (style: Style) => string): string {
    const root = treeOf(text, file, strict)
    if (root === undefined) {
      const eol = lineEndOf(text)
      const before = text.trim() === '' ? '' : text
      const gap = before === '' || before.endsWith('\n') ? '' : eol
      return placed(`${before}${gap}{}${eol}`, path, render)
    }
    let object = root
    for (const [depth, name] of path.entries()) {
      if (object.type !== 'object') {
        throw notEditable(file, path.slice(0, depth), 'is not an object')
      }
      const property = propertyOf(object, name)
      const last = depth === path.length - 1
      if (property !== undefined && last) {
        const { offset, length } = property.value
        const style = { ...styleOf(text, object), inline: isInline(text, property.value) }
        return text.slice(0, offset) + render(style) + text.slice(offset + length)
      }
      if (property === undefined) {
        const style = styleOf(text, object)
        return inserted(text, object, style, nested(path.slice(depth), style, render))
      }
      object = property.value
    }
    return text
  }
}

/** How new members of an object are written. */
interface Style {
  /** All in one line. */
  readonly inline: boolean
  /** What begins the line of a member. */
  readonly indent: string
  /** One level more. */
  readonly unit: string
  readonly eol: string
}

/** The style of the members that are there, or of the text around an empty object. */
function styleOf(text: string, object: Node): Style {
  const eol = lineEndOf(text)
  const unit = /^(?:\t| {1,8})(?=["/])/m.exec(text)?.[0] ?? '  '
  const [first] = propertiesOf(object)
  if (first !== undefined) {
    const before = text.slice(object.offset, first.start)
    const inline = !/[\r\n]/.test(before)
    const indent = inline ? indentAt(text, object.offset) + unit : /[ \t]*$/.exec(before)![0]
    return { inline, indent, unit, eol }
  }
  const inline = !/[\r\n]/.test(text.trim()) && !/^\{\s*\}$/.test(text.trim())
  return { inline, indent: indentAt(text, object.offset) + unit, unit, eol }
}

function indentAt(text: string, offset: number): string {
  return /(?:^|[\r\n])([ \t]*)[^\r\n]*$/.exec(text.slice(0, offset))![1]!
}

function isInline(text: string, node: Node): boolean {
  const { offset, length, children } = node
  return (children ?? []).length > 0 && !/[\r\n]/.test(text.slice(offset, offset + length))
}

/** `"name": value`, with objects around it for the names of a path that are missing. */
function nested(
  [name, ...rest]: readonly string[],
  style: Style,
  render: (style: Style) => string,
): string {
  const { inline, indent, unit, eol } = style
  const inner = { ...style, indent: indent + unit }
  if (rest.length === 0) return `${JSON.stringify(name)}: ${render(style)}`
  const member = nested(rest, inner, render)
  const object = inline ? `{ ${member} }` : `{${eol}${inner.indent}${member}${eol}${indent}}`
  return `${JSON.stringify(name)}: ${object}`
}

function rendered(value: Json, { inline, indent, unit, eol }: Style): string {
  if (!inline) return JSON.stringify(value, null, unit).replaceAll('\n', `${eol}${indent}`)
  // Line breaks of the printed form are never inside a string.
  return JSON.stringify(value, null, 1)
    .replaceAll(/\n\s*/g, ' ')
    .replaceAll(/(?<=[[]) (?=")|(?<=") (?=\])/g, '')
}

/** Inserts a member at the end of an object. */
function inserted(text: string, object: Node, style: Style, member: string): string {
  const { inline, indent, eol } = style
  const open = object.offset + 1
  const close = object.offset + object.length - 1
  const last = propertiesOf(object).at(-1)
  const line = inline ? ' ' : `${eol}${indent}`
  if (last === undefined) {
    const inside = tokensOf(text, open, close)
    const start = inside.findLast(({ kind }) => isComment(kind))?.end ?? open
    const rest = text.slice(start, close)
    const end = /[\r\n]/.test(rest) ? '' : inline ? ' ' : eol + indent.slice(style.unit.length)
    return text.slice(0, start) + line + member + end + text.slice(start)
  }
  const after = tokensOf(text, last.end, close)
  const comma = after.find(({ kind }) => kind === COMMA)
  // A comment in the same line says something about the member before.
  let start = comma?.end ?? last.end
  let gap = line
  for (const { kind, end } of after.filter((token) => token.start >= start)) {
    if (isLineBreak(kind)) break
    if (isComment(kind)) start = end
    if (isLineComment(kind)) gap = `${eol}${indent}`
  }
  const pieces = [text.slice(0, last.end), ',', text.slice(last.end, start), gap, member]
  if (comma !== undefined) pieces.splice(0, 3, text.slice(0, start))
  return [...pieces, comma === undefined ? '' : ',', text.slice(start)].join('')
}

/** Removes a member with its comma and the white space before it; comments stay. */
function removed(text: string, object: Node, property: Property): string {
  const all = propertiesOf(object)
  const at = all.findIndex(({ start }) => start === property.start)
  const previous = all[at - 1]
  const close = object.offset + object.length - 1
  const before = tokensOf(text, previous?.end ?? object.offset + 1, property.start)
  const after = tokensOf(text, property.end, all[at + 1]?.start ?? close)
  const own = after.find(({ kind }) => kind === COMMA)
  const spaces = before.slice(before.findLastIndex(({ kind }) => !isSpace(kind)) + 1)
  let start = spaces[0]?.start ?? property.start
  const end = own?.end ?? property.end
  const comment = before.at(-1 - spaces.length)
  // The rest of the line must not become part of the comment before.
  const risky = comment !== undefined && isLineComment(comment.kind)
  if (risky && !/^[ \t]*[\r\n]/.test(text.slice(end))) start = property.start
  const empties = all.length === 1 && before.every(({ kind }) => isSpace(kind))
  if (empties && after.every(({ kind }) => isSpace(kind) || kind === COMMA)) {
    return text.slice(0, object.offset + 1) + text.slice(close)
  }
  if (own !== undefined || previous === undefined) return text.slice(0, start) + text.slice(end)
  const comma = before.find(({ kind }) => kind === COMMA)!
  return text.slice(0, comma.start) + text.slice(comma.end, start) + text.slice(end)
}

function withoutUndefined(members: Members): Json {
  const present = Object.entries(members).filter((member): member is [string, Json] => {
    const [, value] = member
    return value !== undefined
  })
  return Object.fromEntries(present)
}
