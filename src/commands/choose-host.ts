import { createInterface } from 'node:readline/promises'
import { BridgeError } from '../errors.ts'
import { hostsFound } from '../hosts/entries.ts'
import type { Host, System } from '../hosts/record.ts'
import { HOSTS } from '../hosts/table.ts'

/** Asks a person which of the hosts on this machine is meant. Throws `BridgeError` when nobody is there. */
export async function chooseHost(system: System, process: NodeJS.Process): Promise<Host> {
  const found = hostsFound(system)
  const ids = found.map(({ id }) => id).join(', ')
  const all = HOSTS.map(({ id }) => id).join(', ')
  if (process.stdin.isTTY !== true || found.length === 0) {
    const what = found.length === 0 ? 'No host was found here.' : `Which host? Found here: ${ids}.`
    throw new BridgeError('usage', what, {
      hint: `Usage: bridge install <host> <server_url>, the host being one of ${all}.`,
    })
  }
  const { stderr } = process
  stderr.write('Hosts on this machine:\n')
  for (const [index, { id, name }] of found.entries()) {
    stderr.write(`  ${index + 1}. ${name} (${id})\n`)
  }
  const answer = await ask('Which one? ', process)
  const chosen = found[Number(answer) - 1] ?? found.find(({ id }) => id === answer)
  if (chosen !== undefined) return chosen
  throw new BridgeError('usage', `There is no ${answer === '' ? 'answer' : answer}.`)
}

/** Asks for one line. */
export async function ask(question: string, { stdin, stderr }: NodeJS.Process): Promise<string> {
  const lines = createInterface({ input: stdin, output: stderr })
  try {
    return (await lines.question(question)).trim()
  } finally {
    lines.close()
  }
}
