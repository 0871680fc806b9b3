import type { OptionSpec } from '../option-values.ts'

/** The options of the debug trace, for the relay and for every command that talks to a server. */
export const TRACE_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'debug',
    variable: 'BRIDGE_LOG',
    help: 'Record all traffic and every change of the link in a private file, secrets masked; its path is printed. The variable: off, debug, or frames for the messages alone.',
  },
  {
    name: 'trace-file',
    value: 'file',
    variable: 'BRIDGE_LOG_FILE',
    help: 'Record into this file; switches --debug on. A file that is there is kept as file.1.',
  },
  { name: 'debug-file', value: 'file', help: 'Another name of --trace-file.' },
  {
    name: 'trace-cap',
    value: 'size',
    help: 'Record this much of each message: 64k, 2m. Default: 256k.',
  },
  {
    name: 'trace-payloads',
    value: 'on|off',
    help: 'off records sizes instead of params, results and error data. Default: on.',
  },
]
