import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Metafile, type Plugin, transform } from 'esbuild'
import { defineConfig } from 'tsup'

/** The folder of an npm package in a path, and its name. */
const PACKAGE = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//

/** The names under which packages ship their licence. */
const LICENCE_FILE = /^(licen[cs]e|notice)/i

/** Writes the licence of every package that ended up in the bundle beside it. */
const licences: Plugin = {
  name: 'licences',
  setup(build) {
    build.initialOptions.metafile = true
    build.onEnd(async ({ metafile, errors }) => {
      if (errors.length > 0) return
      const folder = build.initialOptions.outdir!
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, 'THIRD_PARTY_LICENSES'), await licencesOf(metafile!))
    })
  },
}

async function licencesOf({ outputs }: Metafile): Promise<string> {
  const folders = new Map<string, string>()
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const match = PACKAGE.exec(path)
      if (match !== null && bytesInOutput > 0) folders.set(match[2]!, match[1]!)
    }
  }
  const sections = [...folders].sort().map(async ([name, folder]) => {
    const { version, license } = JSON.parse(
      await readFile(join(folder, 'package.json'), 'utf8'),
    ) as { version: string; license?: string }
    const files = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).sort()
    if (files.length === 0) throw new Error(`${name} is bundled and ships no licence`)
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
    return `${name} ${version} (${license})\n\n${texts.map((text) => text.trim()).join('\n\n')}\n`
  })
  return (await Promise.all(sections)).join(`\n${'-'.repeat(80)}\n\n`)
}

export default defineConfig({
  entry: ['src/cli.ts'],
  // esbuild splits only ES modules: they are built first and turned into CommonJS file by file
  // below, so that what is imported lazily is a file of its own.
  format: 'esm',
  splitting: true,
  outExtension: () => ({ js: '.cjs' }),
  target: 'node20',
  platform: 'node',
  minify: true,
  clean: true,
  dts: false,
  // Zero dependencies for the user: npx starts inside the host's deadline.
  noExternal: [/.*/],
  esbuildOptions(options) {
    // The whole licences stand in a file of their own.
    options.legalComments = 'none'
  },
  esbuildPlugins: [licences],
  plugins: [
    {
      name: 'commonjs-chunks',
      // Under Node 22 and 24 an ES module that imports node:http also loads the built-in undici,
      // twice the CPU at start; `require` does not.
      async renderChunk(code, info) {
        if (info.type !== 'chunk') return undefined
        const supported = { 'dynamic-import': false }
        const { code: commonjs } = await transform(code, {
          format: 'cjs',
          platform: 'node',
          target: 'node20',
          minify: true,
          supported,
        })
        return { code: commonjs }
      },
    },
  ],
})
