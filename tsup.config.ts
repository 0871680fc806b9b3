import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Plugin, transform } from 'esbuild'
import { defineConfig } from 'tsup'

/** Files that become text in a chunk: the page of the trace report, and its script as browsers run it. */
const asText: Plugin = {
  name: 'as-text',
  setup({ onResolve, onLoad }) {
    // The suffix stays: tsup has its own ideas about what ends in .css.
    onResolve({ filter: /\?(text|bundle)$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path),
      namespace: 'as-text',
    }))
    onLoad({ filter: /\?text$/, namespace: 'as-text' }, async (file) => {
      const path = file.path.replace(/\?text$/, '')
      const text = await readFile(path, 'utf8')
      const small = path.endsWith('.css')
        ? (await transform(text, { loader: 'css', minify: true })).code.trim()
        : text
      return { contents: small, loader: 'text' }
    })
    onLoad({ filter: /\?bundle$/, namespace: 'as-text' }, async (file) => {
      const path = file.path.replace(/\?bundle$/, '')
      const options = { bundle: true, minify: true, format: 'esm', target: 'es2022' } as const
      const { outputFiles } = await build({ ...options, entryPoints: [path], write: false })
      // In a page this would be the end of the script.
      const script = outputFiles[0]!.text.trim().replaceAll('</script', '<\\/script')
      return { contents: script, loader: 'text' }
    })
  },
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
    options.legalComments = 'linked'
  },
  esbuildPlugins: [asText],
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
