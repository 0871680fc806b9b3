// @ts-check
// Makes one executable file for this system: Node itself with the program inside (Node.js, "Single
// executable applications"). npm run executable [-- <file>]
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import postject from 'postject'
import { bundleIntoOneFile } from './single-file.mjs'

const run = promisify(execFile)

/** Marks the place in the Node binary that says whether there is a program inside. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

/**
 * @param {string} target where the executable goes
 * @returns {Promise<void>}
 */
export async function makeExecutable(target) {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-executable-'))
  try {
    const main = join(folder, 'bridge.cjs')
    const output = join(folder, 'bridge.blob')
    const config = join(folder, 'config.json')
    await bundleIntoOneFile(main)
    const content = { main, output, disableExperimentalSEAWarning: true, useCodeCache: true }
    await writeFile(config, JSON.stringify(content))
    await run(process.execPath, ['--experimental-sea-config', config])
    await mkdir(dirname(target), { recursive: true })
    await copyFile(process.execPath, target)
    const macos = process.platform === 'darwin'
    // The signature is over the bytes that change; macOS starts nothing that is signed wrongly.
    if (macos) await run('codesign', ['--remove-signature', target])
    await postject.inject(target, 'NODE_SEA_BLOB', await readFile(output), {
      sentinelFuse: FUSE,
      ...(macos && { machoSegmentName: 'NODE_SEA' }),
    })
    if (macos) await run('codesign', ['--sign', '-', target])
  } finally {
    await rm(folder, { recursive: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const usual = `packaging/out/mcp-bridge-${process.platform}-${process.arch}${suffix}`
  const target = resolve(process.argv[2] ?? usual)
  await makeExecutable(target)
  process.stdout.write(`${target}\n`)
}
