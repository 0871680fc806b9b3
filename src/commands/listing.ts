import { locate, valueAt } from '../json/locate.ts'
import { createPaint, type Paint } from '../terminal.ts'
import { withClient } from './client.ts'
import { readPages } from './pages.ts'
import { shownText } from './render.ts'
import { refuseOperands } from './stored.ts'
import type { RunCommand } from './table.ts'

/** One kind of list: how it is asked for, and what of an item a person sees. */
interface Kind {
  readonly method: string
  /** What the items are called in the result, and what the server's capability for them is called. */
  readonly member: string
  /** The line that names the item. */
  readonly title: (item: Buffer) => string
}

export const runTools: RunCommand = lister({
  method: 'tools/list',
  member: 'tools',
  title: (tool) => `${word(tool, 'name')}${parameters(tool)}`,
})

export const runResources: RunCommand = lister({
  method: 'resources/list',
  member: 'resources',
  title: (resource) => [word(resource, 'uri'), word(resource, 'mimeType')].join('  ').trimEnd(),
})

export const runPrompts: RunCommand = lister({
  method: 'prompts/list',
  member: 'prompts',
  title: (prompt) => `${word(prompt, 'name')}${promptArguments(prompt)}`,
})

function lister({ method, member, title }: Kind): RunCommand {
  return (line, process) => {
    refuseOperands(line, 1)
    return withClient(line, process, async (client) => {
      const { stdout, stderr } = process
      const json = line.values['json'] === true
      if (locate(client.introduction, 'capabilities', member) === undefined) {
        stderr.write(`${client.options.url.host} offers no ${member}.\n`)
        if (json) stdout.write(`{"${member}":[]}\n`)
        return 0
      }
      const { items, text } = await readPages(client, method, member)
      if (json) stdout.write(`${text.toString('utf8')}\n`)
      else {
        const paint = createPaint(stdout, process.env, line.values['no-color'] === true)
        for (const item of items) stdout.write(entry(title(item), item, paint))
      }
      return 0
    })
  }
}

/** A title, and the first line of what the server says about it. */
function entry(title: string, item: Buffer, paint: Paint): string {
  const [first = ''] = (word(item, 'description') || word(item, 'title')).trim().split('\n', 1)
  const help = first === '' ? '' : `    ${shownText(first)}\n`
  return `${paint.bold(shownText(title))}\n${help}`
}

/** `name`, or `[name]` when it may be left out, with the type. */
function parameters(tool: Buffer): string {
  const properties = valueAt(tool, 'inputSchema', 'properties')
  const required = valueAt(tool, 'inputSchema', 'required')
  if (typeof properties !== 'object' || properties === null) return ''
  const needed = new Set(Array.isArray(required) ? required : [])
  return Object.entries(properties)
    .map(([name, schema]) => {
      const type = (schema as { type?: unknown } | null)?.type
      const typed = typeof type === 'string' ? `${name}=<${type}>` : `${name}=…`
      return ` ${needed.has(name) ? typed : `[${typed}]`}`
    })
    .join('')
}

function promptArguments(prompt: Buffer): string {
  const list = valueAt(prompt, 'arguments')
  if (!Array.isArray(list)) return ''
  return list
    .map(({ name, required }: { name?: unknown; required?: unknown }) =>
      required === true ? ` ${String(name)}` : ` [${String(name)}]`,
    )
    .join('')
}

function word(item: Buffer, member: string): string {
  const value = valueAt(item, member)
  return typeof value === 'string' ? value : ''
}
