import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import worker from './worker/package.json' with { type: 'json' }

const root = fileURLToPath(new URL('..', import.meta.url))

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({
    file: file.replaceAll('\\', '/'),
    text: readFileSync(join(root, 'src', file), 'utf8'),
  }))

const filesWith = (pattern: RegExp): string[] =>
  sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file)

test('the one port that is opened is that of a sign-in', () => {
  expect(filesWith(/\bcreate(?:Secure)?Server\b/)).toEqual(['auth/loopback.ts'])
})

test('no text becomes code, and no program is started by a shell', () => {
  // The page of a report is made of files of ours; it is no part of the program.
  expect(filesWith(/\beval\(|\bnew Function\b|\bshell: true\b|\bexecSync\b|\bexec\(['"`]/)).toEqual(
    [],
  )
})

test('certificates are always checked; the doctor alone looks at one that is not trusted, and sends nothing', () => {
  expect(filesWith(/\brejectUnauthorized: false\b/)).toEqual(['doctor/tls.ts'])
  expect(filesWith(/NODE_TLS_REJECT_UNAUTHORIZED/)).toEqual([])
})

test('what is bundled and what builds it has an exact version', () => {
  const versions = [packageJson.devDependencies, worker.dependencies, worker.devDependencies]
    .flatMap((named) => Object.entries(named))
    .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
  expect(versions).toEqual([])
})

test('installing the package runs nothing', () => {
  const scripts = Object.keys(packageJson.scripts)
  expect(scripts.filter((name) => /^(?:pre|post)?(?:install|prepare|publish)$/.test(name))).toEqual(
    [],
  )
})

test('a release says where it comes from, and every action is pinned to a commit', () => {
  const folder = join(root, '.github', 'workflows')
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
  const used = texts.flatMap((text) => [...text.matchAll(/uses: (\S+)/g)].map(([, name]) => name!))
  expect(used.length).toBeGreaterThan(5)
  expect(used.filter((name) => !/^[\w/-]+@[0-9a-f]{40}$/.test(name))).toEqual([])
  expect(texts.join('\n')).toContain('npm publish --provenance')
})
