/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject

/** A JSON object. */
export interface JsonObject {
  readonly [name: string]: Json
}

/** Whether a value is an object, neither an array nor `null`. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a path of member names. */
export function at(value: unknown, path: readonly string[]): unknown {
  let found = value
  for (const name of path) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return undefined
    found = found[name]
  }
  return found
}

/** The value with another one at a path; `undefined` removes what is there. */
export function withValueAt(value: unknown, path: readonly string[], changed: unknown): unknown {
  const [name, ...rest] = path
  if (name === undefined) return changed
  const object = isObject(value) ? value : {}
  if (changed === undefined && !Object.hasOwn(object, name)) return value
  if (rest.length === 0 && changed === undefined) {
    return Object.fromEntries(Object.entries(object).filter(([other]) => other !== name))
  }
  return { ...object, [name]: withValueAt(at(object, [name]), rest, changed) }
}

/** The names of the strings that an object has as members. */
export function textsOf(value: unknown): Record<string, string> {
  if (!isObject(value)) return {}
  const texts = Object.entries(value).filter(
    (member): member is [string, string] => typeof member[1] === 'string',
  )
  return Object.fromEntries(texts)
}
