// @ts-check
import { basename, dirname, join } from 'node:path'

const UNDICI = /[\\/]undici[\\/]lib[\\/]/

/** undici's parser, with and without SIMD: the file that it becomes, by the module that holds it in Base64. */
export const PARSERS = { 'llhttp_simd-wasm': 'llhttp-simd.wasm', 'llhttp-wasm': 'llhttp.wasm' }

/**
 * The parser is read from a file beside the program: in Base64 it is a third of what V8 has to read.
 *
 * And V8 is told to leave its code as it is at first. The parser is one huge function, which V8 takes for
 * hot after some headers and compiles again in the background: as much CPU as the whole start, and 9 MiB
 * that stay, for nothing that shows in messages per second (docs/performance.md).
 *
 * @type {import('esbuild').Plugin}
 */
export const parserBeside = {
  name: 'parser-beside',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]undici[\\/]lib[\\/]llhttp[\\/][^\\/]+-wasm\.js$/ }, ({ path }) => {
      const name = PARSERS[/** @type {keyof typeof PARSERS} */ (basename(path, '.js'))]
      return {
        contents: `const { readFileSync } = require('node:fs')
          require('node:v8').setFlagsFromString('--wasm-tiering-budget=1000000000')
          module.exports = readFileSync(require('node:path').join(__dirname, '${name}'))`,
      }
    })
  },
}

/**
 * What of undici no start needs, loaded later or not at all: Node's HTTP/2 is a third of what a start
 * costs, and is asked for by `--http2` alone; its fetch, which our requests never go through; and
 * node:assert and node:http, of which it wants one function and two constants.
 *
 * @type {import('esbuild').Plugin}
 */
export const leanUndici = {
  name: 'lean-undici',
  setup({ onResolve, onLoad }) {
    for (const [filter, stub] of /** @type {const} */ ([
      [/^\.\/client-h2\.js$/, 'http2'],
      [/\/web\/fetch\/body\.js$/, 'forms'],
      [/^node:assert$/, 'assert'],
      [/^node:http$/, 'http'],
    ])) {
      onResolve({ filter }, ({ importer, kind, resolveDir }) => {
        if (kind !== 'require-call' || !UNDICI.test(importer)) return undefined
        return { path: join(resolveDir, stub), namespace: 'lean-undici', pluginData: stub }
      })
    }
    onResolve({ filter: /^\.\/client-h2\.js\?$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, 'client-h2.js'),
    }))
    onLoad({ filter: /.*/, namespace: 'lean-undici' }, ({ path, pluginData }) => ({
      contents: STUBS[/** @type {keyof typeof STUBS} */ (pluginData)],
      resolveDir: dirname(path),
    }))
  },
}

const STUBS = {
  http2: `module.exports = (...needs) => require('./client-h2.js?')(...needs)`,
  forms: `exports.extractBody = () => { throw new TypeError('no form is ever sent') }`,
  assert: `module.exports = (holds, message = 'undici: a condition does not hold') => {
    if (!holds) throw message instanceof Error ? message : new Error(message)
  }`,
  // The limit is 16 KiB unless Node was told otherwise.
  http: `const told = [...process.execArgv, process.env.NODE_OPTIONS].join(' ')
    const asked = told.includes('max-http-header-size')
    exports.maxHeaderSize = asked ? require('node:http').maxHeaderSize : 16384
    exports.IncomingMessage = class {}`,
}
