import { COMMANDS, OPTIONS } from '../options.ts'

/** The text of `bridge --help`. */
export function helpText(): string {
  const flags = OPTIONS.map(({ name, short, value, variable, help }) => {
    const flag = `--${name}${value === undefined ? '' : ` <${value}>`}`
    const left = short === undefined ? `      ${flag}` : `  -${short}, ${flag}`
    const right = variable === undefined ? help : `${help} [${variable}]`
    return `${left.padEnd(34)} ${right}`
  })
  const verbs = COMMANDS.map(({ name, help }) => `  ${`${name} <server_url>`.padEnd(20)} ${help}`)
  return `Usage: bridge [command] <server_url> [options]

Relays between an MCP host on stdin and stdout and a remote MCP server.

Commands:
${verbs.join('\n')}

Examples:
  bridge https://example.com/mcp
  bridge https://example.com/mcp --header 'Authorization: Bearer \${TOKEN}'

Options:
${flags.join('\n')}
`
}
