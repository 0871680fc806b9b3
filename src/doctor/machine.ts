import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { posix, win32 } from 'node:path'
import { type HostFile, readHostFile } from '../hosts/file.ts'
import { MAX_HOST_FILE_BYTES, PROGRAM_VERSION_MS } from '../limits.ts'

/** The machine as the checks see it; tests put another one in its place. */
export interface Machine {
  readonly platform: NodeJS.Platform
  readonly env: NodeJS.ProcessEnv
  readonly home: string
  /** The folder that this was started in. */
  readonly cwd: string
  /** The Node that runs this. */
  readonly execPath: string
  readonly nodeVersion: string
  /** The file that was started. */
  readonly script: string
  /** The text of a file; `undefined` when there is none that can be read. */
  read(path: string): string | undefined
  /** A host's file, or that there is none; rejects with `BridgeError` for what is no text. */
  hostFile(path: string): Promise<HostFile>
  /** The names in a folder; none when there is no such folder. */
  list(path: string): readonly string[]
  isFile(path: string): boolean
  /** What a program answers to `--version`; `undefined` when it does not start. */
  versionOf(path: string): Promise<string | undefined>
}

/** The machine that this runs on. */
export function thisMachine(process: NodeJS.Process): Machine {
  const { platform, env, execPath, versions, argv } = process
  return {
    platform,
    env,
    execPath,
    home: homedir(),
    cwd: process.cwd(),
    nodeVersion: versions.node,
    script: argv[1] ?? '',
    read(path) {
      try {
        if (statSync(path).size > MAX_HOST_FILE_BYTES) return undefined
        return readFileSync(path, 'utf8')
      } catch {
        return undefined
      }
    },
    hostFile: readHostFile,
    list(path) {
      try {
        return readdirSync(path)
      } catch {
        return []
      }
    },
    isFile(path) {
      return statSync(path, { throwIfNoEntry: false })?.isFile() === true
    },
    versionOf: (path) =>
      new Promise((resolve) => {
        execFile(path, ['--version'], { timeout: PROGRAM_VERSION_MS }, (error, stdout) => {
          resolve(error === null ? stdout.trim() : undefined)
        })
      }),
  }
}

/** Paths of the machine, which in a test is not always the one that it runs on. */
export function pathOf({ platform }: Pick<Machine, 'platform'>): typeof posix {
  return platform === 'win32' ? win32 : posix
}

/** The first file of this name in PATH; Windows tries the usual extensions. */
export function inPath(machine: Machine, name: string): string | undefined {
  const { platform, env } = machine
  const { delimiter, join } = pathOf(machine)
  // The name of the variable has another spelling on Windows.
  const path = env['PATH'] ?? env['Path'] ?? ''
  const endings = platform === 'win32' ? ['.exe', '.cmd', '.bat'] : ['']
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .flatMap((folder) => endings.map((ending) => join(folder, name + ending)))
    .find((file) => machine.isFile(file))
}
