import type { OptionSpec } from '../option-values.ts'
import { JSON_OPTION, SERVER_OPTIONS } from '../options.ts'

const DRY_RUN: OptionSpec = {
  name: 'dry-run',
  help: 'Show what would be changed, and change nothing.',
}

const SCOPE: OptionSpec = {
  name: 'scope',
  value: 'user|project',
  help: "The configuration of all your projects, or of the one in this folder. Default: user. OAuth's --scope goes behind --.",
}

/** What `bridge install` decides itself. */
export const INSTALL_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'name',
    value: 'name',
    help: 'The name of the entry. Default: made from the name of the server.',
  },
  {
    name: 'env',
    value: 'NAME=value',
    multiple: true,
    help: 'Set this environment variable in the entry.',
  },
  SCOPE,
  {
    name: 'pin-node',
    help: 'Write the full paths of Node and of this program: for hosts that find an old Node, or none.',
  },
  { name: 'print', help: 'Print the entry instead of writing it.' },
  DRY_RUN,
  JSON_OPTION,
]

/** The options of a server that `bridge install` writes into the entry: all that it has no own word for. */
export const INSTALL_SERVER_OPTIONS: readonly OptionSpec[] = SERVER_OPTIONS.filter(
  ({ name }) => !INSTALL_OPTIONS.some((own) => own.name === name),
)

/** What `bridge uninstall` takes. */
export const UNINSTALL_OPTIONS: readonly OptionSpec[] = [SCOPE, DRY_RUN, JSON_OPTION]

/** What `bridge list` takes. */
export const LIST_OPTIONS: readonly OptionSpec[] = [JSON_OPTION]

/** What `bridge migrate` takes. */
export const MIGRATE_OPTIONS: readonly OptionSpec[] = [
  { name: 'undo', help: 'Undo the last migration.' },
  DRY_RUN,
  JSON_OPTION,
]
