// @ts-check
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { asText } from './as-text.mjs'
import { leanUndici } from './lean-undici.mjs'
import { licences } from './licences.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Bundles the whole program into one CommonJS file, lazily loaded parts included: what an executable
 * can hold, which cannot load anything from beside itself. The licences of what is in it go beside it.
 *
 * @param {string} outfile
 */
export async function bundleIntoOneFile(outfile) {
  await build({
    absWorkingDir: root,
    entryPoints: ['src/cli.ts'],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify: true,
    mainFields: ['module', 'main'],
    legalComments: 'none',
    plugins: [asText, licences, leanUndici],
    logLevel: 'warning',
  })
}
