import type { Json } from './json-value.ts'

/** The machine as far as it decides where hosts keep their files. */
export interface System {
  readonly platform: NodeJS.Platform
  /** The person's own folder. */
  readonly home: string
  /** The folder of the project at hand. */
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** The names in a folder; none when it is not there. */
  readonly namesIn: (folder: string) => readonly string[]
}

/** Whose configuration: of one person in all projects, or of one project. */
export type Scope = 'user' | 'project'

/** How a host starts a server. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** The members of an entry by name; `undefined`: the entry has no such member. */
export type Members = Readonly<Record<string, Json | undefined>>

/** How a host spells a launch in an entry. */
export interface Shape {
  readonly write: (launch: Launch) => Members
  /** `undefined` for an entry that starts no program: a remote server, or something odd. */
  readonly read: (entry: Json) => Launch | undefined
}

/** Places of a host's configuration, the one to use first; the others are read as well. */
export type Places = (system: System) => readonly string[]

/** A host whose configuration this program edits. */
export interface Host {
  readonly id: string
  readonly name: string
  /** `json`: the host takes no comments. */
  readonly format: 'json' | 'jsonc' | 'toml'
  readonly files: Readonly<Partial<Record<Scope, Places>>>
  /** The first place is the one that the host reads, also when only another one has a file. */
  readonly readsFirst?: true
  /**
   * Where entries stand in a file: names of members, `*` for every member. Ours goes to the first
   * place, which has no `*`.
   */
  readonly tables: readonly (readonly string[])[]
  readonly shape: Shape
  /** What a new entry needs besides the launch. */
  readonly extras: Readonly<Record<string, Json>>
  /** Whether the server gets the environment of the host, or the six variables of the MCP SDKs. */
  readonly environment: 'inherited' | 'six'
  /** The host itself puts environment variables in the place of `${VAR}` in its entries. */
  readonly expands?: true
  /** On Windows the host starts commands by `cmd.exe` itself. */
  readonly wrapsCommands?: true
  /** What makes the host read its file again. */
  readonly reload: string
  /** The host's own command that adds an entry. */
  readonly ownCommand?: (name: string, entry: Members, launch: Launch) => readonly string[]
  /**
   * Whether the host's own command is used where it can be: a running host writes its file from
   * memory, and only its own command is sure not to be overwritten.
   */
  readonly prefersOwnCommand?: true
  /** Something that its users should know. */
  readonly remark?: string
}

/** A host whose configuration is printed for the person to insert. */
export interface PrintedHost {
  readonly id: string
  readonly name: string
  /** Where the snippet belongs. */
  readonly place: string
  readonly snippet: (name: string, launch: Launch) => string
}
