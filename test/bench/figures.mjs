// @ts-check
// The file of figures: what each suite measured last.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** @typedef {import('./report.mjs').Measured} Measured */

/** @param {string} file @returns {Map<string, Measured>} by suite */
export function readFigures(file) {
  if (!existsSync(file)) return new Map()
  /** @type {Measured[]} */
  const all = JSON.parse(readFileSync(file, 'utf8'))
  return new Map(all.map((measured) => [measured.suite, measured]))
}

/** Puts the figures of a suite into the file; what it has of others stays. @param {string} file @param {Measured} measured */
export function storeFigures(file, measured) {
  const all = readFigures(file).set(measured.suite, measured)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify([...all.values()], null, 2)}\n`)
}
