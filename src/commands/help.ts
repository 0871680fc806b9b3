import { BridgeError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { OptionSpec } from '../option-values.ts'
import { GENERAL_OPTIONS, SERVER_OPTIONS } from '../options.ts'
import { COMMANDS } from './table.ts'
import { TOPICS } from './topics.ts'

/** The text of `bridge --help`, or of `bridge <command> --help`. */
export function helpText(command?: string): string {
  if (command === undefined) return generalHelp()
  const topic = TOPICS.find(({ name }) => name === command)
  if (topic !== undefined) return topic.text()
  const record = COMMANDS.find(({ name }) => name === command)
  if (record === undefined) {
    const names = [...COMMANDS, ...TOPICS].map(({ name }) => name)
    const near = nearest(command, names)
    throw new BridgeError('usage', `Unknown command ${command}.`, {
      hint:
        near === undefined ? `One of ${names.join(', ')}.` : `Did you mean bridge help ${near}?`,
    })
  }
  // What every command that talks to a server takes stands behind what is its own.
  const own = record.options.filter((option) => !SERVER_OPTIONS.includes(option))
  const shared = record.options.filter((option) => SERVER_OPTIONS.includes(option))
  return `Usage: bridge ${record.name} ${record.operands} [options]

${record.help}
${examplesOf(record.examples ?? [])}
Options:
${optionLines([...own, ...shared, ...GENERAL_OPTIONS])}
`
}

function examplesOf(examples: readonly string[]): string {
  if (examples.length === 0) return ''
  return `\nExamples:\n${examples.map((example) => `  bridge ${example}\n`).join('')}`
}

function generalHelp(): string {
  const width = Math.max(...COMMANDS.map(({ name, operands }) => name.length + operands.length)) + 3
  const verbs = COMMANDS.map(
    ({ name, operands, help }) => `  ${`${name} ${operands}`.padEnd(width)} ${help}`,
  )
  return `Usage: bridge [command] <server_url> [options]

Relays between an MCP host on stdin and stdout and a remote MCP server.

Commands (bridge <command> --help says more):
${verbs.join('\n')}

Topics (bridge help <topic>):
${TOPICS.map(({ name, help }) => `  ${name.padEnd(width)} ${help}`).join('\n')}

Examples:
  bridge https://example.com/mcp
  bridge https://example.com/mcp --header 'Authorization: Bearer \${TOKEN}'

Options:
${optionLines([...SERVER_OPTIONS, ...GENERAL_OPTIONS])}
`
}

function optionLines(options: readonly OptionSpec[]): string {
  const lines = options.map(({ name, short, value, variable, help }) => {
    const flag = `--${name}${value === undefined ? '' : ` <${value}>`}`
    const left = short === undefined ? `      ${flag}` : `  -${short}, ${flag}`
    const right = variable === undefined ? help : `${help} [${variable}]`
    return `${left.padEnd(34)} ${right}`
  })
  return lines.join('\n')
}
