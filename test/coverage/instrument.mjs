// @ts-check
import { cp, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const recorder = fileURLToPath(new URL('recorder.cjs', import.meta.url))

/**
 * Makes the installed program write down what runs of it, and keeps its files for the report: the
 * installation is gone by then.
 *
 * @param {string} bin the installed program
 * @param {string} built the folder that it was built in: its source maps are relative to it
 * @param {string} folder the folder for counts and files
 */
export async function instrument(bin, built, folder) {
  const dist = join(folder, 'dist')
  const counts = join(folder, 'counts')
  await mkdir(counts, { recursive: true })
  await cp(built, dist, { recursive: true })
  for (const name of await readdir(dist)) {
    if (!name.endsWith('.map')) continue
    /** @type {{ sources: string[] }} */
    const map = JSON.parse(await readFile(join(dist, name), 'utf8'))
    map.sources = map.sources.map((source) => resolve(built, source))
    await writeFile(join(dist, name), JSON.stringify(map))
  }
  const program = await realpath(join(dirname(bin), '..', 'dist'))
  const call = [recorder, counts, program].map((text) => JSON.stringify(text))
  const [shebang, ...rest] = (await readFile(bin, 'utf8')).split('\n')
  const line = `require(${call[0]}).record(${call[1]}, ${call[2]})`
  await writeFile(bin, [shebang, line, ...rest].join('\n'))
}
