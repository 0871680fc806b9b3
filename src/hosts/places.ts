import { posix, win32 } from 'node:path'
import type { Places, System } from './record.ts'

/** Puts a path together as the system does. */
export function joined({ platform }: System, ...parts: readonly string[]): string {
  return (platform === 'win32' ? win32 : posix).join(...parts)
}

/** A file below the person's own folder. */
export function inHome(...parts: readonly string[]): Places {
  return (system) => [joined(system, system.home, ...parts)]
}

/** A file below the project's folder. */
export function inProject(...parts: readonly string[]): Places {
  return (system) => [joined(system, system.cwd, ...parts)]
}

/** A file below the folder that a variable names, or else below one in the person's own folder. */
export function inFolderOf(variable: string, folder: string, ...parts: readonly string[]): Places {
  return (system) => {
    const named = system.env[variable]
    const base = named === undefined || named === '' ? joined(system, system.home, folder) : named
    return [joined(system, base, ...parts)]
  }
}

/** A file below `~/.config`, also on macOS, or `%APPDATA%`. */
export function inConfig(...parts: readonly string[]): Places {
  return (system) =>
    system.platform === 'win32'
      ? inRoaming(...parts)(system)
      : inFolderOf('XDG_CONFIG_HOME', '.config', ...parts)(system)
}

/** A file where the system's own programs keep their settings. */
export function inApplicationData(...parts: readonly string[]): Places {
  return (system) =>
    system.platform === 'darwin'
      ? inHome('Library', 'Application Support', ...parts)(system)
      : inConfig(...parts)(system)
}

/** A file below `%APPDATA%`. */
function inRoaming(...parts: readonly string[]): Places {
  return (system) => [joined(system, roaming(system), ...parts)]
}

/** The places of several kinds, one after the other. */
export function either(...places: readonly Places[]): Places {
  return (system) => places.flatMap((place) => place(system))
}

/**
 * The files of a Windows program that was installed as MSIX: what it writes to `%APPDATA%` goes to a
 * folder of the package, whose name ends in a hash.
 */
export function inPackage(prefix: string, ...parts: readonly string[]): Places {
  return (system) => {
    if (system.platform !== 'win32') return []
    const { env, home } = system
    const local = env['LOCALAPPDATA'] ?? joined(system, home, 'AppData', 'Local')
    const packages = joined(system, local, 'Packages')
    return system
      .namesIn(packages)
      .filter((name) => name.startsWith(prefix))
      .map((name) => joined(system, packages, name, 'LocalCache', 'Roaming', ...parts))
  }
}

function roaming(system: System): string {
  return system.env['APPDATA'] ?? joined(system, system.home, 'AppData', 'Roaming')
}
