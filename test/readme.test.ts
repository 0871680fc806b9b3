import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { OPTIONS } from '../src/options.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

test("the README's table of options is the table that the program reads", () => {
  const escape = (text: string): string => text.replaceAll('|', String.raw`\|`)
  const rows = OPTIONS.map(({ name, short, value, variable, help }) => {
    const flag = `${short === undefined ? '' : `-${short}, `}--${name}`
    const argument = value === undefined ? '' : ` <${escape(value)}>`
    return [`\`${flag}${argument}\``, variable === undefined ? '' : `\`${variable}\``, escape(help)]
  })
  // The formatter pads the cells.
  const [, , ...table] = /^\| option [^]*?(?=\n\n)/m.exec(readme)![0].split('\n')
  const cells = table.map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  expect(cells).toEqual(rows)
})

test('every document that the README names is there', () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1]!)
  const missing = links.filter((link) => !existsSync(new URL(`../${link}`, import.meta.url)))
  expect(links.length).toBeGreaterThan(5)
  expect(missing).toEqual([])
})
