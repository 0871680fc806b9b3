// @ts-check
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The folder of an npm package in a path, and its name. */
const PACKAGE = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//

/** The names under which packages ship their licence. */
const LICENCE_FILE = /^(licen[cs]e|notice)/i

/**
 * Writes the licence of every package that ended up in the bundle beside it.
 *
 * @type {import('esbuild').Plugin}
 */
export const licences = {
  name: 'licences',
  setup(build) {
    const { outdir, outfile } = build.initialOptions
    const folder = outdir ?? dirname(outfile ?? '.')
    build.initialOptions.metafile = true
    build.onEnd(async ({ metafile }) => {
      if (metafile === undefined) return // the build has failed and says why
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, 'THIRD_PARTY_LICENSES'), await licencesOf(metafile))
    })
  },
}

/**
 * @param {import('esbuild').Metafile} metafile
 * @returns {Promise<string>}
 */
async function licencesOf({ outputs }) {
  /** @type {Map<string, string>} */
  const folders = new Map()
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const [, folder, name] = PACKAGE.exec(path) ?? []
      if (folder !== undefined && name !== undefined && bytesInOutput > 0) folders.set(name, folder)
    }
  }
  const sections = [...folders].sort().map(async ([name, folder]) => {
    /** @type {{ version: string, license?: string }} */
    const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const files = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).sort()
    if (files.length === 0) throw new Error(`${name} is bundled and ships no licence`)
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
    return `${name} ${version} (${license})\n\n${texts.map((text) => text.trim()).join('\n\n')}\n`
  })
  return (await Promise.all(sections)).join(`\n${'-'.repeat(80)}\n\n`)
}
