import type { Program, StartOptions } from './program.ts'

/** What one attack may cost the machine. */
export interface Bounds {
  /** Most memory of any process of the program, in MiB (VmHWM). */
  readonly memoryMiB: number
  /** Most text on stderr, in KiB. */
  readonly stderrKiB: number
  /** How long the whole attack may take. */
  readonly seconds: number
}

/**
 * What most attacks may cost. An idle program on Node.js has 60 to 110 MiB and some 100 MiB of garbage
 * after traffic; a log of 64 KiB is a thousand lines; what takes 30 s has hung.
 */
export const USUAL: Bounds = { memoryMiB: 256, stderrKiB: 64, seconds: 30 }

/**
 * For messages without an end: a program has to take messages of some size, twice perhaps, and none
 * needs more than this. It is an eighth of what the attacks try to send.
 */
export const ENDLESS: Bounds = { ...USUAL, memoryMiB: 1024, seconds: 60 }

/** Where something has to be waited for first: retries, a limit of time, an answer in the server's place. */
export const PATIENT: Bounds = { ...USUAL, seconds: 60 }

/** What a row works with. */
export interface Stage {
  /** Starts the program that is attacked; it is watched until the row is over, then killed. */
  start(url: string, options?: StartOptions): Program
}

/** One attack: what somebody hostile does, and what has to be seen from outside. */
export interface Attack {
  /** Unique, in words with hyphens: what `--only` takes. */
  readonly name: string
  /** What the attacker does. */
  readonly attack: string
  /** What must hold, in terms that are the same for every program. */
  readonly expectation: string
  /** Where they differ from the usual ones. */
  readonly bounds?: Bounds
  /** Throws when the expectation does not hold, `DoesNotApply` when it says nothing about the program. */
  readonly run: (stage: Stage) => Promise<void>
}

/** Attacks by the same kind of attacker. */
export interface Group {
  readonly title: string
  readonly attacks: readonly Attack[]
}

/** The premise of an attack is not there: the program lacks the feature that is attacked. */
export class DoesNotApply extends Error {}

/** What the reporter reads off a test. */
export interface AttackMeta {
  readonly group: string
  readonly name: string
  readonly attack: string
  readonly expectation: string
  /** Most memory that a process of the program had, in MiB; once the attack is over. */
  memoryMiB?: number
}

declare module 'vitest' {
  interface TaskMeta {
    attack?: AttackMeta
  }
}
