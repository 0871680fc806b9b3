// @ts-check
// Figures as people read them.

/**
 * What one suite has measured.
 *
 * @typedef {object} Measured
 * @property {string} suite
 * @property {string} title
 * @property {string} when
 * @property {string} node
 * @property {Readonly<Record<string, string>>} units by figure
 * @property {Record<string, Record<string, (number | null)[]>>} values by figure and candidate
 * @property {Record<string, string>} failed why a candidate failed, by its name
 */

/** @param {readonly (number | null)[] | undefined} numbers @returns {number} `NaN` without any */
export function median(numbers = []) {
  const sorted = numbers
    .filter((value) => value !== null && !Number.isNaN(value))
    .toSorted((a, b) => Number(a) - Number(b))
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}

/** The median of a figure; `NaN` when there is none. @param {Measured | undefined} measured @param {string} figure @param {string} name */
export function medianOf(measured, figure, name) {
  return median(measured?.values[figure]?.[name])
}

/** @param {number} value */
export function figureText(value) {
  if (value >= 10) return Math.round(value).toLocaleString('en')
  return Number.isInteger(value) ? String(value) : value.toFixed(2)
}

/** @param {number} value */
export const ratioText = (value) => `${value.toFixed(value < 10 ? 2 : 1)} ×`

/**
 * A table as the formatter of this repository wants it.
 *
 * @param {readonly (readonly string[])[]} rows the first are the heads
 */
export function tableText(rows) {
  const [heads = [], ...body] = rows
  const widths = heads.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0), 3),
  )
  const text = (/** @type {readonly string[]} */ cells) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |\n`
  return text(heads) + text(widths.map((width) => '-'.repeat(width))) + body.map(text).join('')
}

/**
 * A figure of a candidate beside the yardstick's.
 *
 * @param {Measured} measured
 * @param {string} figure
 * @param {string} name
 * @param {string} [fails] what a failure looks like
 */
export function cellOf(measured, figure, name, fails = 'fails') {
  const value = medianOf(measured, figure, name)
  if (Number.isNaN(value)) return measured.failed[name] === undefined ? '–' : fails
  const floor = medianOf(measured, figure, 'floor')
  const ratio = name === 'floor' || !(floor > 0) ? '' : ` (${ratioText(value / floor)})`
  return figureText(value) + ratio
}

/** All figures of a suite. @param {Measured} measured @param {readonly string[]} names */
export function suiteText(measured, names) {
  const rows = Object.entries(measured.units).map(([figure, unit]) =>
    [unit === '' ? figure : `${figure}, ${unit}`].concat(
      names.map((name) => cellOf(measured, figure, name)),
    ),
  )
  return `${measured.title}\n\n${tableText([['', ...names], ...rows])}`
}
