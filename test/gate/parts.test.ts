import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { npm } from '../support/npm.mjs'
import { filesLeftOut, LANES, leftOutText, partsLeftOut, ROWS } from './parts.mjs'

const parts = Object.values(LANES).flat()

test('every part is a script, and those that are left out somewhere are parts', () => {
  expect(Object.keys(packageJson.scripts)).toEqual(expect.arrayContaining(parts))
  expect(parts).toEqual(expect.arrayContaining(ROWS.flatMap((row) => row.parts ?? [])))
})

test('every test file that is left out somewhere is there, and is named once', () => {
  const files = ROWS.flatMap((row) => row.files ?? [])
  expect(files.filter((file) => !/^test\/.*\.test\.ts$/.test(file) || !existsSync(file))).toEqual(
    [],
  )
  expect(files).toEqual([...new Set(files)])
})

test('Linux leaves nothing out', () => {
  expect([partsLeftOut('linux'), filesLeftOut('linux'), leftOutText('linux')]).toEqual([[], [], ''])
})

test('other systems say what they leave out, and why', () => {
  expect(partsLeftOut('darwin')).toEqual(['attack', 'soak'])
  expect(leftOutText('darwin')).toContain(
    'left out on darwin: test/e2e/interfaces.test.ts: they make network namespaces\n',
  )
  for (const name of [...partsLeftOut('win32'), ...filesLeftOut('win32')]) {
    expect(leftOutText('win32')).toMatch(new RegExp(`^left out on win32: .*\\b${name}\\b.*: `, 'm'))
  }
})

/** What a test file has that needs a row, and the systems where there is no such thing. */
const SIGNS: readonly (readonly [sign: RegExp, on: readonly NodeJS.Platform[]])[] = [
  [/(?:readFileSync|readdirSync|join)\(['`]\/proc\b|\bpeakMemoryMiB\(/, ['darwin', 'win32']],
  [/'SIG(?:TERM|INT|HUP|STOP|USR2)'|\.state\(/, ['win32']],
  [/\.mode & 0o777|\bsymlinkSync\(|\bumask\(|\(mode 0\d+\)/, ['win32']],
  [/#!\/bin\/sh|\bspawn(?:Sync)?\(\s*'(?:ba)?sh'/, ['win32']],
]

test('a test file that needs what a system has not is left out there', () => {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((file) => `test/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.test.ts') && !/\/(?:node_modules|gate)\//.test(file))
  expect(files.length).toBeGreaterThan(100)
  const forgotten = files.flatMap((file) => {
    const text = readFileSync(file, 'utf8')
    return SIGNS.filter(([sign]) => sign.test(text)).flatMap(([, on]) =>
      on.flatMap((platform) =>
        filesLeftOut(platform).includes(file) ? [] : [`${file}: ${platform}`],
      ),
    )
  })
  expect(forgotten).toEqual([])
})

test('npm is a program of its own, and on Windows one of Node', () => {
  expect(npm(['ls'], { platform: 'linux', execPath: '/usr/bin/node' })).toEqual(['npm', ['ls']])
  expect(npm(['ls'], { platform: 'win32', execPath: 'C:\\Node 24\\node.exe' })).toEqual([
    'C:\\Node 24\\node.exe',
    ['C:\\Node 24\\node_modules\\npm\\bin\\npm-cli.js', 'ls'],
  ])
})
