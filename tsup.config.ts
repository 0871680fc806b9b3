import { transform } from 'esbuild'
import { defineConfig } from 'tsup'
import { asText } from './packaging/as-text.mjs'
import { leanUndici, parserBeside } from './packaging/lean-undici.mjs'
import { licences } from './packaging/licences.mjs'
import { COMMONJS, makeReadableStart, makeStartFile } from './packaging/start-file.mjs'

/** `npm run coverage` needs to know which line of the source runs. */
const readable = process.env['BRIDGE_COVERAGE'] !== undefined

export default defineConfig({
  entry: ['src/cli.ts'],
  // esbuild splits only ES modules: they are built first and put together below.
  format: 'esm',
  splitting: true,
  outExtension: () => ({ js: '.cjs' }),
  target: 'node20',
  platform: 'node',
  minify: !readable,
  sourcemap: readable,
  clean: true,
  dts: false,
  removeNodeProtocol: false,
  // Zero dependencies for the user: npx starts inside the host's deadline.
  noExternal: [/.*/],
  esbuildOptions(options) {
    // The whole licences stand in a file of their own.
    options.legalComments = 'none'
    // jsonc-parser's `main` is UMD, which requires its parts in a way that no bundler follows.
    options.mainFields = ['module', 'main']
  },
  esbuildPlugins: [asText, licences, leanUndici, parserBeside],
  plugins: [
    {
      // One readable file per chunk: the file of the start has no source map.
      name: 'commonjs-chunks',
      async renderChunk(code, info) {
        if (!readable || info.type !== 'chunk') return undefined
        const { code: commonjs, map } = await transform(code, {
          ...COMMONJS,
          minify: false,
          sourcemap: true,
          sourcefile: info.path,
        })
        return { code: commonjs, map }
      },
    },
    {
      name: 'start-file',
      async buildEnd() {
        const { outDir } = this.options
        if (readable) await makeReadableStart(outDir)
        else await makeStartFile(outDir, { main: 'cli.cjs', also: 'bridge' })
      },
    },
  ],
})
