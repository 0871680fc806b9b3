import packageJson from '../../package.json' with { type: 'json' }
import { check, fail, ok, warn } from './check.ts'
import { inPath, type Machine, pathOf } from './machine.ts'

/** The oldest Node that runs the program. */
const NEEDED = packageJson.engines.node.replace(/^>=/, '')

/** What runs this command. */
export const runtime = check({
  id: 'runtime',
  title: 'Program',
  group: 'This machine',
  codes: [],
  run: ({ machine }) =>
    ok(
      `${packageJson.name} ${packageJson.version}, Node ${machine.nodeVersion} (${machine.execPath}), ${machine.platform}`,
    ),
})

/** What hosts run: they start `npx`, which starts the first `node` in PATH. */
export const nodeInPath = check({
  id: 'node-in-path',
  title: 'Node in PATH',
  group: 'This machine',
  codes: ['node_too_old', 'node_missing', 'npx_missing', 'node_too_old_in_nvm'],
  async run({ machine }) {
    const ours = absoluteEntry(machine)
    const node = inPath(machine, 'node')
    if (node === undefined) return warn('node_missing', 'there is no node in PATH', ours)
    const version = /^v?(\d+\.\d+\.\d+)/.exec((await machine.versionOf(node)) ?? '')?.[1]
    if (version === undefined) return fail('node_too_old', `${node} does not start`, ours)
    if (isOlder(version, NEEDED)) {
      return fail(
        'node_too_old',
        `the first node in PATH is ${version} (${node}); ${NEEDED} or newer is needed`,
        ours,
      )
    }
    if (inPath(machine, 'npx') === undefined) {
      return warn(
        'npx_missing',
        `node ${version} (${node}) is fine, but there is no npx in PATH`,
        ours,
      )
    }
    const old = oldInNvm(machine)
    if (old !== undefined) {
      return warn(
        'node_too_old_in_nvm',
        `Claude Desktop takes the oldest Node of nvm first, and that is ${old}`,
        `nvm uninstall ${old}`,
      )
    }
    return ok(`node ${version} (${node})`)
  },
})

/** The lines of an entry that depend on no PATH. */
function absoluteEntry({ execPath, script }: Machine): string {
  return `"command": ${JSON.stringify(execPath)}, "args": [${JSON.stringify(script)}, "<server_url>"]`
}

/** An old Node that Claude Desktop on macOS puts into PATH before newer ones. */
function oldInNvm(machine: Machine): string | undefined {
  if (machine.platform !== 'darwin') return undefined
  const folder = pathOf(machine).join(machine.home, '.nvm', 'versions', 'node')
  return machine.list(folder).find((name) => isOlder(name.replace(/^v/, ''), NEEDED))
}

/** Whether a version comes before another; both are three numbers. */
export function isOlder(version: string, other: string): boolean {
  const [ours, theirs] = [version, other].map((text) => text.split('.').map(Number))
  const at = theirs!.findIndex((part, index) => ours![index] !== part)
  return at !== -1 && (ours![at] ?? 0) < theirs![at]!
}
