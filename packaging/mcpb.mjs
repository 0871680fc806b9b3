// @ts-check
// Makes the bundle that Claude Desktop installs with a double click: npm run mcpb [-- <file>]
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packExtension } from '@anthropic-ai/mcpb'
import { bundleIntoOneFile } from './single-file.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * The manifest of the bundle (MCPB manifest 0.3). Claude Desktop brings its own Node, so nothing on
 * the user's machine decides whether it starts.
 *
 * @param {{ version: string, description: string, license: string, keywords: string[] }} pkg
 */
export function manifestOf({ version, description, license, keywords }) {
  return {
    manifest_version: '0.3',
    name: 'mcp-bridge',
    display_name: 'bridge',
    version,
    description,
    long_description:
      'Connects to one remote MCP server. Signs in with your browser when the server asks for it, ' +
      'keeps the sign-in fresh, and relays every message unchanged.',
    author: { name: 'The bridge authors' },
    license,
    keywords,
    tools_generated: true,
    prompts_generated: true,
    server: {
      type: 'node',
      entry_point: 'server/bridge.cjs',
      mcp_config: {
        command: 'node',
        args: ['${__dirname}/server/bridge.cjs', '${user_config.server_url}'],
        env: {
          // Not an argument: every program on the machine can read those.
          BRIDGE_HEADER_AUTHORIZATION: '${user_config.authorization}',
          // Not an argument: a manifest cannot leave one out.
          BRIDGE_LOG: '${user_config.debug}',
        },
      },
    },
    user_config: {
      server_url: {
        type: 'string',
        title: 'Server URL',
        description: 'The address of the remote MCP server, e.g. https://example.com/mcp',
        required: true,
      },
      authorization: {
        type: 'string',
        title: 'Authorization header',
        description:
          'Only for servers that want a fixed token: "Bearer …". Leave it empty to sign in.',
        required: false,
        sensitive: true,
        default: '',
      },
      debug: {
        type: 'boolean',
        title: 'Record a debug trace',
        description:
          'Records all traffic, with secrets masked, in a private file whose path is in the log of ' +
          'this server.',
        required: false,
        default: false,
      },
    },
    compatibility: {
      platforms: ['darwin', 'win32', 'linux'],
      runtimes: { node: '>=20.18.1' },
    },
  }
}

/**
 * @param {string} target where the bundle goes
 * @returns {Promise<void>}
 */
export async function makeBundle(target) {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-mcpb-'))
  try {
    const pkg = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    await bundleIntoOneFile(join(folder, 'server', 'bridge.cjs'))
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifestOf(pkg), null, 2))
    await cp(join(root, 'LICENSE'), join(folder, 'LICENSE'))
    await mkdir(dirname(target), { recursive: true })
    // Checks the manifest against its schema before it packs.
    const packed = await packExtension({ extensionPath: folder, outputPath: target, silent: true })
    if (!packed) throw new Error('the packer refuses the bundle; mcpb validate says why')
  } finally {
    await rm(folder, { recursive: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const target = resolve(process.argv[2] ?? 'packaging/out/mcp-bridge.mcpb')
  await makeBundle(target)
  process.stdout.write(`${target}\n`)
}
