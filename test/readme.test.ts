import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { COMMANDS } from '../src/commands/table.ts'
import type { OptionSpec } from '../src/option-values.ts'
import { GENERAL_OPTIONS, SERVER_OPTIONS } from '../src/options.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

const escape = (text: string): string => text.replaceAll('|', String.raw`\|`)

const flagOf = ({ name, short, value }: OptionSpec): string => {
  const flag = `${short === undefined ? '' : `-${short}, `}--${name}`
  return `\`${flag}${value === undefined ? '' : ` <${escape(value)}>`}\``
}

/** The rows of the table whose first column has this title, without the formatter's padding. */
function table(title: string): string[][] {
  const found = new RegExp(`^\\| ${title} [^]*?(?=\\n\\n)`, 'm').exec(readme)
  const [, , ...rows] = (found?.[0] ?? '').split('\n')
  return rows.map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

test("the README's table of options is the table that the program reads", () => {
  const rows = [...SERVER_OPTIONS, ...GENERAL_OPTIONS].map((option) => {
    const { variable, help } = option
    return [flagOf(option), variable === undefined ? '' : `\`${variable}\``, escape(help)]
  })
  expect(table('option')).toEqual(rows)
})

test("the README's table of commands is the table that the program reads", () => {
  const rows = COMMANDS.map(({ name, operands, help, options }) => {
    const own = options.filter((option) => !SERVER_OPTIONS.includes(option)).map(flagOf)
    return [`\`bridge ${name} ${escape(operands)}\``, help, own.join(' ')]
  })
  expect(table('command')).toEqual(rows)
})

test('every document that the README names is there', () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1]!)
  const missing = links.filter((link) => !existsSync(new URL(`../${link}`, import.meta.url)))
  expect(links.length).toBeGreaterThan(5)
  expect(missing).toEqual([])
})
