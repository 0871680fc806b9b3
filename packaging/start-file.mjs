// @ts-check
import { createHash } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRequire } from 'node:module'
import { build, transform } from 'esbuild'
import { PARSERS } from './lean-undici.mjs'

const require = createRequire(import.meta.url)

export const COMMONJS = /** @type {const} */ ({
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  supported: { 'dynamic-import': false },
})

/**
 * Turns the chunks that esbuild has split (ES modules, because it splits nothing else) into CommonJS:
 * under Node 22 and 24 an ES module that imports node:http also loads the built-in undici. What a start
 * of the relay needs becomes one file; what is loaded lazily stays a file each and takes from that one
 * whatever they share, so that everything exists once in the process.
 *
 * @param {string} folder
 * @param {{ main: string, also: string }} start the entry, and the lazy chunk that every start loads
 */
export async function makeStartFile(folder, { main, also }) {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.cjs'))
  const second = names.find((name) => name.startsWith(`${also}-`))
  if (second === undefined) throw new Error(`no chunk ${also} in ${folder}`)
  /** @type {Map<string, string>} */
  const texts = new Map()
  for (const name of names) texts.set(name, await readFile(join(folder, name), 'utf8'))
  const eager = closureOf([main, second], texts)
  const lazy = names.filter((name) => !eager.has(name))
  const shared = [...eager].filter((name) =>
    lazy.some((other) => importsOf(texts.get(other), ANY).has(name)),
  )
  const keys = new Map(shared.map((name, index) => [name, `shared${index}`]))

  const contents = [
    ...shared.map((name) => `export * as ${keys.get(name)} from './${name}'`),
    `export * from './${main}'`,
  ].join('\n')
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder, sourcefile: 'start.js', loader: 'js' },
    bundle: true,
    write: false,
    ...COMMONJS,
    loader: { '.cjs': 'js' },
    plugins: [
      {
        name: 'the-rest-stays-outside',
        setup({ onResolve }) {
          onResolve({ filter: /^\.\/[^/]+\.cjs$/ }, ({ path }) =>
            eager.has(path.slice(2)) ? undefined : { path, external: true },
          )
        },
      },
    ],
  })
  // As the function that src/boot.ts calls: to put it around the text at each start copies it.
  const text = `(function(exports,require,module,__filename,__dirname){${outputFiles[0]?.text ?? ''}\n})`
  await Promise.all([...eager].map((name) => rm(join(folder, name))))
  await writeFile(join(folder, main), text)
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  await build({
    entryPoints: ['src/boot.ts'],
    outfile: join(folder, 'boot.cjs'),
    bundle: true,
    define: { BUILD: JSON.stringify(hash) },
    ...COMMONJS,
  })
  await writeParsers(folder)
  for (const name of lazy) {
    const { code } = await transform(texts.get(name) ?? '', COMMONJS)
    const linked = code.replaceAll(
      /require\("\.\/([^"]+\.cjs)"\)/g,
      (found, /** @type {string} */ target) =>
        keys.has(target) ? `require("./${main}").${keys.get(target)}` : found,
    )
    await writeFile(join(folder, name), linked)
  }
}

/**
 * The same for `npm run coverage`: the chunks, which are CommonJS already, stay as they are.
 *
 * @param {string} folder
 */
export async function makeReadableStart(folder) {
  await writeFile(join(folder, 'boot.cjs'), "require('./cli.cjs')\n")
  await writeParsers(folder)
}

/** @param {string} folder */
async function writeParsers(folder) {
  for (const [module, name] of Object.entries(PARSERS)) {
    await writeFile(join(folder, name), require(`undici/lib/llhttp/${module}.js`))
  }
}

const STATIC = /(?:from|import)\s*"\.\/([^"]+\.cjs)"/g
const ANY = /(?:from|import)[\s(]*"\.\/([^"]+\.cjs)"/g

/** @param {string | undefined} text @param {RegExp} kind */
function importsOf(text, kind) {
  return new Set([...(text ?? '').matchAll(kind)].map(([, name = '']) => name))
}

/**
 * The chunks, and all that they import other than lazily.
 *
 * @param {readonly string[]} roots
 * @param {ReadonlyMap<string, string>} texts
 */
function closureOf(roots, texts) {
  const found = new Set(roots)
  for (const name of found) {
    for (const imported of importsOf(texts.get(name), STATIC)) found.add(imported)
  }
  return found
}
