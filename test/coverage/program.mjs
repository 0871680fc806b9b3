// @ts-check
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mergeProcessCovs } from '@bcoe/v8-coverage'
import { convert } from 'ast-v8-to-istanbul'
import coverage from 'istanbul-lib-coverage'
import { parseAstAsync } from 'vitest/node'

/** Merging costs memory: so many processes at once. */
const AT_ONCE = 50

/**
 * What the processes of the end-to-end tests have run, in terms of the source.
 *
 * @param {string} folder counts and files, as `instrument` laid them down
 * @param {string} src only what is in this folder counts
 */
export async function programCoverage(folder, src) {
  const map = coverage.createCoverageMap()
  const dist = await readdir(join(folder, 'dist'))
  for (const { url, functions } of await counts(join(folder, 'counts'))) {
    const name = basename(fileURLToPath(url))
    // The start file is written by the build, and parsers are copied: none of them is of the source.
    if (!dist.includes(`${name}.map`)) continue
    const file = join(folder, 'dist', name)
    const code = await readFile(file, 'utf8')
    const data = await convert({
      code,
      ast: parseAstAsync(code),
      sourceMap: JSON.parse(await readFile(`${file}.map`, 'utf8')),
      coverage: { url: `file://${file}`, functions },
    })
    for (const [source, found] of Object.entries(data)) {
      if (source.startsWith(`${src}/`)) map.addFileCoverage(found)
    }
  }
  return map
}

/** @param {string} folder */
async function counts(folder) {
  const names = await readdir(folder)
  let merged = mergeProcessCovs([])
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const files = names.slice(at, at + AT_ONCE)
    const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))
    /** @type {import('@bcoe/v8-coverage').ProcessCov[]} */
    const processes = texts.map((text) => JSON.parse(text))
    merged = mergeProcessCovs([merged, ...processes])
  }
  return merged.result
}
