import { expect, test } from 'vitest'
import { snippet } from '../../src/hosts/install.ts'
import { PRINTED_HOSTS } from '../../src/hosts/printed.ts'
import type { Host, Places, System } from '../../src/hosts/record.ts'
import { HOSTS } from '../../src/hosts/table.ts'

/** What `bridge install` writes, with a version that does not age. */
const LAUNCH = {
  command: 'npx',
  args: ['-y', 'mcp-bridge@x.y.z', 'https://example.com/mcp'],
  env: {},
}

const SYSTEMS: readonly (readonly [
  string,
  Pick<System, 'platform' | 'home' | 'env' | 'namesIn'>,
])[] = [
  ['Linux', { platform: 'linux', home: '~', env: {}, namesIn: () => [] }],
  ['macOS', { platform: 'darwin', home: '~', env: {}, namesIn: () => [] }],
  [
    'Windows',
    {
      platform: 'win32',
      home: '%USERPROFILE%',
      env: { APPDATA: '%APPDATA%', LOCALAPPDATA: '%LOCALAPPDATA%' },
      namesIn: () => ['Claude_*'],
    },
  ],
]

/** Each place once, with the systems that it is for when they differ. */
function placesOf(places: Places): string[] {
  const found = SYSTEMS.map(([name, system]) => {
    const files = places({ ...system, cwd: '' })
    return [name, files.map((file) => `\`${file}\``).join(', then ')] as const
  })
  const [first] = found
  const spelled = found.map(([, files]) =>
    files.replaceAll('\\', '/').replace('%USERPROFILE%', '~'),
  )
  if (spelled.every((files) => files === first![1])) return [first![1]]
  return found.map(([name, files]) => `${name}: ${files}`)
}

function section(host: Host): string {
  const { id, name, files, format, reload, remark } = host
  const lines = [`## ${name}`, '', `\`bridge install ${id} https://example.com/mcp\``, '']
  lines.push(...placesOf(files.user!).map((place) => `- ${place}`))
  if (files.project !== undefined) {
    lines.push(...placesOf(files.project).map((place) => `- with \`--scope project\`: ${place}`))
  }
  const language = format === 'toml' ? 'toml' : 'json'
  lines.push('', `\`\`\`${language}`, snippet(host, 'example', LAUNCH).trimEnd(), '```', '')
  lines.push([reload, remark].filter((text) => text !== undefined).join(' '), '')
  return lines.join('\n')
}

const INTRODUCTION = `<!-- Made from src/hosts by test/hosts/document.test.ts: npx vitest run --project unit test/hosts/document.test.ts -u -->

# Hosts

What \`bridge install <host> <server_url>\` writes, for each host. It keeps everything else in the file:
comments, order, line endings, mode and owner. It shows the change, keeps the file as it was (five per
file, in the folder of the program's data), and changes nothing when it is run again.

- The version is exact: npx asks the registry at every start for anything else.
- A header's value, and what else is secret, is put into \`env\`; the arguments of a program can be
  read by every other one. Hosts that replace \`\${VAR}\` themselves get \`BRIDGE_HEADER_<NAME>\`.
- Proxy, certificate and folder settings of your shell are put into \`env\` where the host drops them.
- On Windows the command is \`cmd /c npx …\`, since npx is a batch file there.
- \`--pin-node\` names Node and this program by their full paths: for hosts that find an old Node.
- The options of the relay go into the entry. OAuth's \`--scope\` goes behind \`--\`, together with
  anything that is to stand there as it is: \`bridge install cursor <server_url> -- --scope mail\`.

\`bridge list\` shows what is there and what is wrong with it; \`bridge uninstall <host> <name>\` takes it
out; \`bridge migrate\` replaces mcp-remote, \`bridge migrate --undo\` puts it back.

A file that cannot be understood is left alone; the message names the line. So is one that another
program changes meanwhile.
`

test('docs/hosts.md is what the records say', async () => {
  const printed = PRINTED_HOSTS.map((host) =>
    [
      `## ${host.name}`,
      '',
      `\`bridge install ${host.id} https://example.com/mcp\` prints this for ${host.place}:`,
      '',
      `\`\`\`${host.snippet('example', LAUNCH).startsWith('{') ? 'json' : 'yaml'}`,
      host.snippet('example', LAUNCH).trimEnd(),
      '```',
      '',
    ].join('\n'),
  )
  const text = [INTRODUCTION, ...HOSTS.map(section), ...printed].join('\n')
  await expect(text).toMatchFileSnapshot('../../docs/hosts.md')
})
