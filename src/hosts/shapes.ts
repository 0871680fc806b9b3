import { isObject, type Json, textsOf } from './json-value.ts'
import type { Launch, Shape } from './record.ts'

/** `command`, `args` and `env`, as nearly every host has them. */
export const FLAT: Shape = {
  write: ({ command, args, env }) => ({ command, args, env: unlessEmpty(env) }),
  read(entry) {
    if (!isObject(entry)) return undefined
    // Zed's older entries have an object here: {path, args, env}.
    const { command } = entry
    if (isObject(command)) return launchOf(command['path'], command['args'], command['env'])
    return launchOf(command, entry['args'], entry['env'])
  },
}

/** opencode: the command with its arguments in one array, and another name for the environment. */
export const ARRAY: Shape = {
  write: ({ command, args, env }) => ({
    command: [command, ...args],
    environment: unlessEmpty(env),
  }),
  read(entry) {
    if (!isObject(entry) || !Array.isArray(entry['command'])) return undefined
    const [command, ...args] = entry['command'] as Json[]
    return launchOf(command, args, entry['environment'])
  },
}

function unlessEmpty(env: Launch['env']): Launch['env'] | undefined {
  return Object.keys(env).length === 0 ? undefined : env
}

function launchOf(command: unknown, args: unknown, env: unknown): Launch | undefined {
  if (typeof command !== 'string') return undefined
  const words = Array.isArray(args) ? args : []
  if (!words.every((word) => typeof word === 'string')) return undefined
  return { command, args: words, env: textsOf(env) }
}
