import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type NodeModule from 'node:module'
import { Script } from 'node:vm'
import { CODE_CACHE_FILES, CODE_CACHE_MS } from './limits.ts'
import { pathsOf } from './paths.ts'

/**
 * Starts the program from the code that V8 has compiled at an earlier start: half of the CPU of a start
 * is compiling. The compiled code is a file in the user's own cache; whoever can write it decides what
 * runs here, so a file that is not ours, or that others may write, is not looked at. Without a cache
 * (read-only home, another Node, another build) everything works the same and a little later.
 */

/** Tells builds apart whose files have the same size; set by the build. */
declare const BUILD: string

/** What the program lets this file know (src/cli.ts). */
interface Program {
  /** Settles when the relay has had its first answer: what every start runs has been compiled then. */
  readonly warm: Promise<void>
}

type Wrapper = (
  exports: object,
  require: NodeJS.Require,
  module: { exports: object },
  filename: string,
  dirname: string,
) => void

function start(): void {
  const file = join(__dirname, 'cli.cjs')
  // One byte per character: the build escapes whatever is not ASCII.
  const source = readFileSync(file, 'latin1')
  const trailer = Buffer.from(`\n${BUILD} ${source.length} ${process.version} ${process.arch}`)
  const path = join(pathsOf(process.env).cache, 'code', `${BUILD}-${process.version}.bin`)
  // Node's own switches: what is measured or debugged is to be compiled anew.
  const { NODE_DISABLE_COMPILE_CACHE: off, NODE_V8_COVERAGE: measured } = process.env
  const isOff = off !== undefined || measured !== undefined
  const cached = isOff ? undefined : read(path, trailer)
  const script = new Script(source, { filename: file, ...(cached && { cachedData: cached }) })
  // The same class as `node:module`, which would load Node's source maps with it.
  const Module = module.constructor as unknown as typeof NodeModule
  const program = new Module(file, module)
  program.filename = file
  // The chunks that are loaded later ask for what they share with it.
  require.cache[file] = program
  const run = script.runInThisContext() as Wrapper
  run.call(program.exports, program.exports as object, require, program, file, __dirname)
  if (isOff || (cached !== undefined && script.cachedDataRejected !== true)) return
  let kept = false
  const keep = (): void => {
    if (kept) return
    kept = true
    try {
      write(path, Buffer.concat([script.createCachedData(), trailer]))
    } catch {
      // A home that cannot be written, or is full: the next start compiles again.
    }
  }
  void (program.exports as Program).warm.then(() => {
    setTimeout(keep, CODE_CACHE_MS).unref()
    process.once('exit', keep)
  })
}

function read(path: string, trailer: Buffer): Buffer | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    try {
      if (!isOursAlone(fstatSync(file))) return undefined
      const all = readFileSync(file)
      const end = all.length - trailer.length
      // The trailer is behind the code because V8 copies what is not aligned.
      return end > 0 && all.subarray(end).equals(trailer) ? all.subarray(0, end) : undefined
    } finally {
      closeSync(file)
    }
  } catch {
    return undefined
  }
}

/** Nobody else can write it. Windows has no owner ids; what is below the user's profile is private there. */
function isOursAlone({ uid, mode }: Stats): boolean {
  const us = process.getuid?.()
  return us === undefined || (uid === us && (mode & 0o022) === 0)
}

function write(path: string, content: Buffer): void {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = lstatSync(folder)
  if (!found.isDirectory() || !isOursAlone(found)) return
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, content, { flag: 'wx', mode: 0o600 })
  chmodSync(temporary, 0o600)
  renameSync(temporary, path)
  sweep(folder)
}

/** Removes what other versions have left: the oldest files above a handful. */
function sweep(folder: string): void {
  const files = readdirSync(folder).map((name) => join(folder, name))
  const byAge = files
    .map((file) => ({ file, at: lstatSync(file).mtimeMs }))
    .sort((a, b) => b.at - a.at)
  for (const { file } of byAge.slice(CODE_CACHE_FILES)) rmSync(file, { force: true })
}

start()
