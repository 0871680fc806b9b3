import {
  either,
  inApplicationData,
  inConfig,
  inFolderOf,
  inHome,
  inPackage,
  inProject,
  joined,
} from './places.ts'
import type { Host, Places } from './record.ts'
import { ARRAY, FLAT } from './shapes.ts'

/** The settings of an extension of VS Code. */
const inGlobalStorage = (extension: string, file: string): Places =>
  inApplicationData('Code', 'User', 'globalStorage', extension, 'settings', file)

/** A path that a variable names. */
const namedBy =
  (variable: string): Places =>
  ({ env }) => {
    const path = env[variable]
    return path === undefined || path === '' ? [] : [path]
  }

/** Claude Code keeps its file beside, not in, its usual folder; in a folder of one's own it is inside. */
const claudeCode: Places = (system) => {
  const folder = system.env['CLAUDE_CONFIG_DIR']
  const inside = folder === undefined || folder === '' ? system.home : folder
  return [joined(system, inside, '.claude.json')]
}

/** What most hosts have in common; the SDKs of MCP pass on six variables. */
const USUAL = {
  tables: [['mcpServers']],
  shape: FLAT,
  extras: {},
  environment: 'six',
} as const satisfies Partial<Host>

const RESTART = 'Quit it completely and start it again.'
const AT_ONCE = 'It reads the file again by itself.'
const NEXT_START = 'The next start of it reads the file.'

/** The hosts whose configuration is edited. */
export const HOSTS: readonly Host[] = [
  {
    id: 'claude-desktop',
    name: 'Claude Desktop',
    format: 'json',
    ...USUAL,
    files: {
      user: either(
        inPackage('Claude_', 'Claude', 'claude_desktop_config.json'),
        inApplicationData('Claude', 'claude_desktop_config.json'),
      ),
    },
    readsFirst: true,
    reload: RESTART,
    remark:
      'On macOS it may run an old Node of nvm: `--pin-node` names the one that runs now. On Windows the file of the packaged (MSIX) program comes first; "Edit Config" may open the other one. It writes settings into the same file: quit it before.',
  },
  {
    id: 'claude-code',
    name: 'Claude Code',
    format: 'json',
    ...USUAL,
    files: { user: claudeCode, project: inProject('.mcp.json') },
    tables: [['mcpServers'], ['projects', '*', 'mcpServers']],
    extras: { type: 'stdio' },
    environment: 'inherited',
    expands: true,
    reload: NEXT_START,
    ownCommand: (name, entry) => [
      'claude',
      'mcp',
      'add-json',
      '--scope',
      'user',
      name,
      JSON.stringify(entry),
    ],
    prefersOwnCommand: true,
    remark:
      'A running Claude Code writes this file from memory. So its own command is used when it is on the PATH, unless a secret would be among the words of that command.',
  },
  {
    id: 'cursor',
    name: 'Cursor',
    format: 'jsonc',
    ...USUAL,
    files: { user: inHome('.cursor', 'mcp.json'), project: inProject('.cursor', 'mcp.json') },
    reload: AT_ONCE,
  },
  {
    id: 'vscode',
    name: 'VS Code',
    format: 'jsonc',
    ...USUAL,
    files: {
      user: inApplicationData('Code', 'User', 'mcp.json'),
      project: inProject('.vscode', 'mcp.json'),
    },
    tables: [['servers']],
    extras: { type: 'stdio' },
    environment: 'inherited',
    expands: true,
    reload: 'Run "MCP: List Servers" and start it.',
    ownCommand: (name, entry) => ['code', '--add-mcp', JSON.stringify({ name, ...entry })],
    remark: 'The file is that of the default profile.',
  },
  {
    id: 'windsurf',
    name: 'Windsurf',
    format: 'jsonc',
    ...USUAL,
    files: { user: inHome('.codeium', 'windsurf', 'mcp_config.json') },
    reload: 'Press the refresh button in its MCP settings.',
  },
  {
    id: 'cline',
    name: 'Cline',
    format: 'json',
    ...USUAL,
    files: {
      user: either(
        namedBy('CLINE_MCP_SETTINGS_PATH'),
        inHome('.cline', 'data', 'settings', 'cline_mcp_settings.json'),
        inGlobalStorage('saoudrizwan.claude-dev', 'cline_mcp_settings.json'),
      ),
    },
    reload: AT_ONCE,
  },
  {
    id: 'zed',
    name: 'Zed',
    format: 'jsonc',
    ...USUAL,
    files: {
      user: (system) =>
        (system.platform === 'win32'
          ? inConfig('Zed', 'settings.json')
          : inConfig('zed', 'settings.json'))(system),
      project: inProject('.zed', 'settings.json'),
    },
    tables: [['context_servers']],
    environment: 'inherited',
    reload: AT_ONCE,
  },
  {
    id: 'codex',
    name: 'Codex CLI',
    format: 'toml',
    ...USUAL,
    files: {
      user: inFolderOf('CODEX_HOME', '.codex', 'config.toml'),
      project: inProject('.codex', 'config.toml'),
    },
    tables: [['mcp_servers']],
    extras: { startup_timeout_sec: 60 },
    reload: NEXT_START,
    ownCommand: (name, _entry, { command, args, env }) => [
      'codex',
      'mcp',
      'add',
      name,
      ...Object.entries(env).flatMap(([variable, value]) => ['--env', `${variable}=${value}`]),
      '--',
      command,
      ...args,
    ],
    remark:
      'It gives a server 10 seconds to start; the first download of npx can take longer, so the entry asks for 60. A project file counts in trusted projects only.',
  },
  {
    id: 'gemini',
    name: 'Gemini CLI',
    format: 'jsonc',
    ...USUAL,
    files: {
      user: inHome('.gemini', 'settings.json'),
      project: inProject('.gemini', 'settings.json'),
    },
    environment: 'inherited',
    expands: true,
    reload: NEXT_START,
    remark:
      'It drops variables of its own environment whose names sound like secrets; what is in `env` stays.',
  },
  {
    id: 'kiro',
    name: 'Kiro',
    format: 'jsonc',
    ...USUAL,
    files: {
      user: inHome('.kiro', 'settings', 'mcp.json'),
      project: inProject('.kiro', 'settings', 'mcp.json'),
    },
    expands: true,
    reload: AT_ONCE,
  },
  {
    id: 'opencode',
    name: 'opencode',
    format: 'jsonc',
    ...USUAL,
    files: {
      user: either(
        inFolderOf('XDG_CONFIG_HOME', '.config', 'opencode', 'opencode.json'),
        inFolderOf('XDG_CONFIG_HOME', '.config', 'opencode', 'opencode.jsonc'),
      ),
      project: either(inProject('opencode.json'), inProject('opencode.jsonc')),
    },
    tables: [['mcp']],
    shape: ARRAY,
    extras: { type: 'local', enabled: true },
    environment: 'inherited',
    reload: NEXT_START,
  },
  {
    id: 'amp',
    name: 'Amp',
    format: 'jsonc',
    ...USUAL,
    files: {
      user: inFolderOf('XDG_CONFIG_HOME', '.config', 'amp', 'settings.json'),
      project: inProject('.amp', 'settings.json'),
    },
    tables: [['amp.mcpServers']],
    reload: NEXT_START,
  },
  {
    id: 'lm-studio',
    name: 'LM Studio',
    format: 'jsonc',
    ...USUAL,
    files: { user: inHome('.lmstudio', 'mcp.json') },
    reload: AT_ONCE,
  },
  {
    id: 'warp',
    name: 'Warp',
    format: 'jsonc',
    ...USUAL,
    files: { user: inHome('.warp', '.mcp.json'), project: inProject('.warp', '.mcp.json') },
    reload: 'Start the server in its MCP settings.',
  },
  {
    id: 'copilot',
    name: 'Copilot CLI',
    format: 'jsonc',
    ...USUAL,
    files: {
      user: inFolderOf('COPILOT_HOME', '.copilot', 'mcp-config.json'),
      project: inProject('.mcp.json'),
    },
    extras: { type: 'stdio', tools: ['*'] },
    expands: true,
    reload: NEXT_START,
  },
  {
    id: 'roo',
    name: 'Roo Code',
    format: 'json',
    ...USUAL,
    files: {
      user: inGlobalStorage('rooveterinaryinc.roo-cline', 'mcp_settings.json'),
      project: inProject('.roo', 'mcp.json'),
    },
    wrapsCommands: true,
    reload: AT_ONCE,
  },
]
