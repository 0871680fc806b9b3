import type { OptionSpec } from '../option-values.ts'

/** The options of `bridge trace`. */
export const VIEW_OPTIONS: readonly OptionSpec[] = [
  { name: 'follow', help: 'Show what comes until it is interrupted.' },
  { name: 'method', value: 'name', help: 'Only messages of this method; * stands for anything.' },
  { name: 'slow', value: 'ms', help: 'Only answers that took at least so long: 500, 2s.' },
  { name: 'errors', help: 'Only what went wrong.' },
  { name: 'id', value: 'id', help: 'Only the request with this id, and its answer.' },
  { name: 'json', help: 'The records as they are in the file.' },
  { name: 'html', value: 'out', help: 'Write a report for a browser into this file, all in one.' },
  { name: 'har', value: 'out', help: 'Write the HTTP side into this file (HAR 1.2).' },
  { name: 'server', value: 'url', help: 'replay: the server to send the messages of the host to.' },
  {
    name: 'ignore',
    value: 'member',
    multiple: true,
    help: 'replay: do not compare members of this name, besides those that hold times.',
  },
  { name: 'no-color', help: 'No colours; so do NO_COLOR and a stream that is no terminal.' },
]
