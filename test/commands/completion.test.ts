import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { completionOf } from '../../src/commands/completion.ts'
import { COMMANDS } from '../../src/commands/table.ts'
import { GENERAL_OPTIONS, SERVER_OPTIONS } from '../../src/options.ts'

/** What `bridge completion <shell>` prints. */
async function script(...operands: string[]): Promise<string> {
  let printed = ''
  const stdout = { write: (text: string) => (printed += text) }
  const line = { command: 'completion', values: {}, operands, notes: [] }
  await completionOf(COMMANDS)(line, { stdout } as unknown as NodeJS.Process)
  return printed
}

/** Whether a shell is on this machine; bash is wherever these tests run. */
function has(shell: string): boolean {
  return spawnSync(shell, ['--version']).error === undefined
}

/** What bash offers behind these words; the last one is being typed. */
async function bash(...words: string[]): Promise<string[]> {
  const typed = words.map((word) => `'${word}'`).join(' ')
  const ask = `COMP_WORDS=(bridge ${typed}); COMP_CWORD=${words.length}; _bridge; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync(
    'bash',
    ['--norc', '-c', `${await script('bash')}\n${ask}`],
    {
      encoding: 'utf8',
    },
  )
  expect(stderr).toBe('')
  return stdout.split('\n').filter((line) => line !== '')
}

describe('bash', () => {
  const names = COMMANDS.map(({ name }) => name)
  test.each<[string[], string[]]>([
    [[''], [...names, 'help']],
    [['log'], ['login', 'logout']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', 'pwsh'],
    ],
    [['completion', 'z'], ['zsh']],
    [['help', 'ex'], ['exit-codes']],
    [
      ['--transport', 'sse'],
      ['sse', 'sse-first', 'sse-only'],
    ],
    [
      ['login', 'https://a.example', '--store', ''],
      ['file', 'keychain', 'keychain-only'],
    ],
    [['--store', '=', 'keychain-'], ['keychain-only']],
    [['login', '--past'], ['--paste']],
    [['https://a.example', '--past'], []],
    [['call', '--sav'], ['--save']],
    [['ping', '--read'], ['--read-only']],
    [['--header', ''], []],
    [['ping', 'x', ''], []],
  ])('%j: %j', async (words, offered) => {
    expect(await bash(...words)).toEqual(offered)
  })

  test('files where a file is asked for', async () => {
    expect(await bash('--header-file', '/etc/host')).toContain('/etc/hosts')
  })

  test('knows every option of every command', async () => {
    for (const { name, options } of COMMANDS) {
      const all = [...options, ...GENERAL_OPTIONS].map((option) => `--${option.name}`)
      expect(await bash(name, '--')).toEqual(all)
    }
    const relay = [...SERVER_OPTIONS, ...GENERAL_OPTIONS].map((option) => `--${option.name}`)
    expect(await bash('https://a.example', '--')).toEqual(relay)
  })
})

/** Shells that check a script without running it; only those that are installed can be asked. */
const SHELLS = ['bash', 'zsh', 'fish'].filter(has)

test.each(SHELLS)('%s can read its script', async (shell) => {
  const args = ['-n', '-c', await script(shell)]
  const { status, stderr } = spawnSync(shell, args, { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
})

const FISH = ['fish'].filter(has)
test.each(FISH)('%s offers commands, values and options', async (shell) => {
  const offers = async (text: string): Promise<string> =>
    spawnSync(shell, ['-c', `${await script('fish')}\ncomplete -C '${text}'`], { encoding: 'utf8' })
      .stdout
  expect(await offers('bridge log')).toMatch(/^login\t.*\nlogout\t/)
  expect(await offers('bridge --transport sse-')).toMatch(/^sse-first\t.*\nsse-only\t.*\n$/)
  expect(await offers('bridge completion z')).toBe('zsh\n')
})

describe.each(['bash', 'zsh', 'fish', 'pwsh'])('the script for %s', (shell) => {
  test('names every command, option and choice', async () => {
    const text = await script(shell)
    for (const { name, options } of COMMANDS) {
      expect(text).toContain(name)
      for (const option of [...options, ...GENERAL_OPTIONS]) expect(text).toContain(option.name)
    }
    for (const word of ['sse-only', 'keychain-only', 'exit-codes']) expect(text).toContain(word)
  })
})

test.each([[[]], [['csh']], [['bash', 'zsh']], [['__proto__']]])(
  '%j is refused',
  async (operands) => {
    await expect((async () => script(...operands))()).rejects.toMatchObject({
      code: 'usage',
      hint: 'Usage: bridge completion bash|zsh|fish|pwsh',
    })
  },
)
