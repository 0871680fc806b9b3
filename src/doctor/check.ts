import type { BridgeError } from '../errors.ts'
import type { ServerOptions } from '../options.ts'
import type { Paths } from '../paths.ts'
import type { Machine } from './machine.ts'
import type { Server } from './server.ts'

/** How bad a finding is; only `fail` costs the exit code. */
export type Level = 'ok' | 'warn' | 'fail' | 'skipped'

/** What a check has seen. */
export interface Finding<Code extends string = string> {
  readonly level: Level
  /** One line for people; never a secret. */
  readonly seen: string
  /** What mends it: a command or a line of configuration. */
  readonly fix?: string
  /** Explained in docs/doctor.md; `ok` and `skipped` need no explanation. */
  readonly code: Code | 'ok' | 'skipped'
}

/** The headings of the output, in its order. */
export const GROUPS = [
  'This machine',
  'The hosts',
  'The way to the server',
  'The server',
  'The sign-in',
] as const

/** One thing that is looked at. It changes nothing, anywhere. */
export interface Check<Code extends string = string> {
  readonly id: string
  readonly title: string
  readonly group: (typeof GROUPS)[number]
  /** Checks without which this one means nothing: it is skipped when one of them failed or was skipped. */
  readonly needs?: readonly string[]
  /** What it can find wrong. */
  readonly codes: readonly Code[]
  run(context: Context): Promise<Finding<Code>> | Finding<Code>
}

/** What the checks look at. */
export interface Context {
  readonly machine: Machine
  readonly paths: Paths
  /** What the command line says about the server; absent without a URL. */
  readonly options: ServerOptions | BridgeError | undefined
  /** Where sign-ins are kept. */
  readonly store: 'file' | 'keychain' | 'keychain-only'
  /** The server; absent without a usable URL. */
  readonly server: Server | undefined
  readonly now: () => number
}

/** A check whose findings have only the codes that it lists. */
export function check<const Code extends string>(record: Check<Code>): Check {
  return record
}

/** Nothing is wrong. */
export function ok(seen: string): Finding<never> {
  return { level: 'ok', seen, code: 'ok' }
}

/** It could not be looked at, or there was nothing to look at. */
export function skipped(seen: string): Finding<never> {
  return { level: 'skipped', seen, code: 'skipped' }
}

/** It works, but not everywhere or not for long. */
export function warn<Code extends string>(code: Code, seen: string, fix?: string): Finding<Code> {
  return { level: 'warn', seen, code, ...(fix === undefined ? {} : { fix }) }
}

/** It does not work. */
export function fail<Code extends string>(code: Code, seen: string, fix?: string): Finding<Code> {
  return { level: 'fail', seen, code, ...(fix === undefined ? {} : { fix }) }
}
