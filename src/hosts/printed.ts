import type { Launch, PrintedHost } from './record.ts'

/** Hosts whose configuration this program does not edit: the person puts the snippet in. */
export const PRINTED_HOSTS: readonly PrintedHost[] = [
  {
    id: 'goose',
    name: 'Goose',
    place:
      '~/.config/goose/config.yaml (Windows: %APPDATA%\\Block\\goose\\config\\config.yaml), under "extensions"',
    snippet: (name, { command, args, env }) =>
      yaml([
        'extensions:',
        `  ${name}:`,
        `    name: ${name}`,
        '    type: stdio',
        '    enabled: true',
        `    cmd: ${JSON.stringify(command)}`,
        '    args:',
        ...args.map((word) => `      - ${JSON.stringify(word)}`),
        ...variables('    envs:', '      ', env),
        '    timeout: 300',
      ]),
  },
  {
    id: 'continue',
    name: 'Continue',
    place: '~/.continue/config.yaml, or a file of its own in .continue/mcpServers/',
    snippet: (name, { command, args, env }) =>
      yaml([
        'mcpServers:',
        `  - name: ${name}`,
        `    command: ${JSON.stringify(command)}`,
        '    args:',
        ...args.map((word) => `      - ${JSON.stringify(word)}`),
        ...variables('    env:', '      ', env),
      ]),
  },
  {
    id: 'jetbrains',
    name: 'JetBrains (Junie, AI Assistant)',
    place: '~/.junie/mcp/mcp.json or .junie/mcp/mcp.json; AI Assistant: Settings, Tools, MCP',
    snippet: json,
  },
  {
    id: 'antigravity',
    name: 'Antigravity',
    place: '~/.gemini/config/mcp_config.json (before 2.0: ~/.gemini/antigravity/mcp_config.json)',
    snippet: json,
  },
]

function json(name: string, { command, args, env }: Launch): string {
  const entry = { command, args, ...(Object.keys(env).length === 0 ? {} : { env }) }
  return `${JSON.stringify({ mcpServers: { [name]: entry } }, null, 2)}\n`
}

/** Strings as JSON are valid YAML. */
function yaml(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

function variables(title: string, indent: string, env: Launch['env']): string[] {
  const lines = Object.entries(env).map(
    ([name, value]) => `${indent}${name}: ${JSON.stringify(value)}`,
  )
  return lines.length === 0 ? [] : [title, ...lines]
}
