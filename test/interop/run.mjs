// @ts-check
/**
 * `npm run interop [-- --no-hosts] [--pairs TEXT] [--keep FOLDER]`: every host of the square at every
 * server, then real host programs. One line each; the exit code tells. `--pairs` takes only pairs
 * whose name holds the text, `--keep` names the folder in which the host programs are, or are
 * installed and kept.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { packAndInstall } from '../support/packed.mjs'
import { startWorker } from '../worker/dev/serve.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

const { values: chosen } = parseArgs({
  options: {
    'no-hosts': { type: 'boolean', default: false },
    pairs: { type: 'string', default: '' },
    keep: { type: 'string' },
  },
})

/** Node 20 runs no TypeScript: the square as one file, inside the project, where its packages are found. */
async function loadSquare() {
  const folder = await mkdtemp(join(root, 'node_modules', '.interop-'))
  try {
    const outfile = join(folder, 'square.mjs')
    await build({
      entryPoints: [join(root, 'test/square/print.ts')],
      outfile,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
    })
    return /** @type {typeof import('../square/print.ts')} */ (
      await import(pathToFileURL(outfile).href)
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

const packed = await packAndInstall()
try {
  const { printSquare } = await loadSquare()
  let isGreen = await printSquare({ bin: packed.bin, startWorker, only: chosen.pairs })
  if (!chosen['no-hosts']) {
    const { tryHosts } = await import('./hosts.mjs')
    isGreen = (await tryHosts(packed.bin, chosen.keep)) && isGreen
  }
  process.exitCode = isGreen ? 0 : 1
} finally {
  await rm(packed.folder, { recursive: true })
}
