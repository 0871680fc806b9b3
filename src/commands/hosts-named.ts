import { BridgeError } from '../errors.ts'
import { PRINTED_HOSTS } from '../hosts/printed.ts'
import type { Host, PrintedHost, Scope } from '../hosts/record.ts'
import { HOSTS } from '../hosts/table.ts'
import { nearest } from '../nearest.ts'
import { text, type Values } from '../option-values.ts'

/** The hosts with these names; all when there is none. Throws `BridgeError` for an unknown one. */
export function hostsNamed(names: readonly string[]): readonly Host[] {
  if (names.length === 0) return HOSTS
  return names.map((name) => HOSTS.find(({ id }) => id === name) ?? unknown(name, HOSTS))
}

/** The host with this name, edited or printed. */
export function anyHostNamed(name: string): Host | PrintedHost {
  const all = [...HOSTS, ...PRINTED_HOSTS]
  return all.find(({ id }) => id === name) ?? unknown(name, all)
}

/** Which of a host's configurations is meant. */
export function scopeOf(values: Values): Scope {
  const scope = text(values['scope']) ?? 'user'
  if (scope === 'user' || scope === 'project') return scope
  throw new BridgeError('usage', `--scope is user or project, not ${scope}.`, {
    hint: "OAuth's --scope goes behind --.",
  })
}

function unknown(name: string, known: readonly { readonly id: string }[]): never {
  const ids = known.map(({ id }) => id)
  const near = nearest(name, ids)
  const hint = near === undefined ? `One of ${ids.join(', ')}.` : `Did you mean ${near}?`
  throw new BridgeError('usage', `Unknown host ${name}.`, { hint })
}
