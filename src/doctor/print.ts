import { printable } from '../log.ts'
import type { Paint } from '../terminal.ts'
import { GROUPS, type Level } from './check.ts'
import type { Result } from './run.ts'

const MARKS: Readonly<Record<Level, string>> = { ok: '✓', warn: '!', fail: '✗', skipped: '-' }

/** The findings for a terminal, by group, and how many there are of each kind. */
export function shown(results: readonly Result[], paint: Paint): string {
  const colours = { ok: paint.green, warn: paint.yellow, fail: paint.red, skipped: paint.dim }
  const groups = GROUPS.map((group) => {
    const lines = results
      .filter(({ check }) => check.group === group)
      .map(({ check, finding: { level, seen, fix, code } }) => {
        const named = level === 'warn' || level === 'fail' ? paint.dim(` [${code}]`) : ''
        const line = `  ${colours[level](MARKS[level])} ${check.title}: ${printable(seen)}${named}\n`
        return fix === undefined ? line : `${line}      ${paint.cyan(printable(fix))}\n`
      })
    return lines.length === 0 ? '' : `${paint.bold(group)}\n${lines.join('')}`
  })
  return `${groups.filter((text) => text !== '').join('\n')}\n${summary(results)}\n`
}

/** The findings for programs. */
export function asJson(results: readonly Result[]): object {
  return {
    ok: !results.some(({ finding }) => finding.level === 'fail'),
    ...counts(results),
    checks: results.map(({ check, finding }) => ({
      id: check.id,
      title: check.title,
      group: check.group,
      level: finding.level,
      code: finding.code,
      seen: finding.seen,
      fix: finding.fix ?? null,
    })),
  }
}

function counts(results: readonly Result[]) {
  const count = (level: Level): number =>
    results.filter(({ finding }) => finding.level === level).length
  return {
    passed: count('ok'),
    warnings: count('warn'),
    failed: count('fail'),
    skipped: count('skipped'),
  }
}

function summary(results: readonly Result[]): string {
  const { passed, warnings, failed, skipped } = counts(results)
  const said = `${passed} passed, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}, ${failed} failed, ${skipped} skipped`
  return failed === 0 && warnings === 0 ? said : `${said}. docs/doctor.md explains the codes.`
}
