// @ts-check
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, transform } from 'esbuild'

/**
 * Files that become text in the program: the page of the trace report (`?text`), and its script as
 * browsers run it (`?bundle`).
 *
 * @type {import('esbuild').Plugin}
 */
export const asText = {
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
      const { outputFiles } = await build({
        entryPoints: [file.path.replace(/\?bundle$/, '')],
        bundle: true,
        minify: true,
        format: 'esm',
        target: 'es2022',
        write: false,
      })
      const [script] = outputFiles
      // In a page this would be the end of the script.
      const contents = script?.text.trim().replaceAll('</script', '<\\/script') ?? ''
      return { contents, loader: 'text' }
    })
  },
}
