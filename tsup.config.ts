import { transform } from 'esbuild'
import { defineConfig } from 'tsup'
import { asText } from './packaging/as-text.mjs'
import { licences } from './packaging/licences.mjs'

/** `npm run coverage` needs to know which line of the source runs. */
const readable = process.env['BRIDGE_COVERAGE'] !== undefined

export default defineConfig({
  entry: ['src/cli.ts'],
  // esbuild splits only ES modules: they are built first and turned into CommonJS file by file
  // below, so that what is imported lazily is a file of its own.
  format: 'esm',
  splitting: true,
  outExtension: () => ({ js: '.cjs' }),
  target: 'node20',
  platform: 'node',
  minify: !readable,
  sourcemap: readable,
  clean: true,
  dts: false,
  // Zero dependencies for the user: npx starts inside the host's deadline.
  noExternal: [/.*/],
  esbuildOptions(options) {
    // The whole licences stand in a file of their own.
    options.legalComments = 'none'
    // jsonc-parser's `main` is UMD, which requires its parts in a way that no bundler follows.
    options.mainFields = ['module', 'main']
  },
  esbuildPlugins: [asText, licences],
  plugins: [
    {
      name: 'commonjs-chunks',
      // Under Node 22 and 24 an ES module that imports node:http also loads the built-in undici,
      // twice the CPU at start; `require` does not.
      async renderChunk(code, info) {
        if (info.type !== 'chunk') return undefined
        const supported = { 'dynamic-import': false }
        const { code: commonjs, map } = await transform(code, {
          format: 'cjs',
          platform: 'node',
          target: 'node20',
          minify: !readable,
          sourcemap: readable,
          sourcefile: info.path,
          supported,
        })
        return { code: commonjs, ...(readable && { map }) }
      },
    },
  ],
})
