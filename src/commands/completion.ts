import { BridgeError } from '../errors.ts'
import { choicesOf, type OptionSpec } from '../option-values.ts'
import { GENERAL_OPTIONS, SERVER_OPTIONS } from '../options.ts'
import type { CommandRecord, RunCommand } from './table.ts'
import { TOPICS } from './topics.ts'

/** What can stand behind `bridge`, and what of it each shell is told. */
interface Grammar {
  readonly commands: readonly CommandRecord[]
  /** Every option of any command, each once. */
  readonly options: readonly OptionSpec[]
  optionsOf(command: CommandRecord | undefined): readonly OptionSpec[]
}

const SHELLS: Readonly<Record<string, (grammar: Grammar) => string>> = { bash, zsh, fish, pwsh }

const PROGRAMS = ['bridge', 'mcp-bridge']

/** The command that prints completion scripts, made from the tables of commands and options. */
export function completionOf(commands: readonly CommandRecord[]): RunCommand {
  return ({ operands: [shell, ...rest] }, process) => {
    const script = Object.hasOwn(SHELLS, shell ?? '') ? SHELLS[shell!] : undefined
    if (script === undefined || rest.length > 0) {
      const names = Object.keys(SHELLS)
      throw new BridgeError('usage', shell === undefined ? 'No shell.' : `Not a shell: ${shell}`, {
        hint: `Usage: bridge completion ${names.join('|')}`,
      })
    }
    process.stdout.write(script(grammarOf(commands)))
    return Promise.resolve(0)
  }
}

function grammarOf(commands: readonly CommandRecord[]): Grammar {
  const optionsOf = (command: CommandRecord | undefined): readonly OptionSpec[] => [
    ...(command?.options ?? SERVER_OPTIONS),
    ...GENERAL_OPTIONS,
  ]
  const all = [undefined, ...commands].flatMap(optionsOf)
  const options = all.filter(
    (option, index) => all.findIndex(({ name }) => name === option.name) === index,
  )
  return { commands, options, optionsOf }
}

/** The words that can stand where a command needs one of its own. */
function operandsOf({ name }: CommandRecord): readonly string[] {
  return name === 'completion' ? Object.keys(SHELLS) : []
}

function flagsOf(options: readonly OptionSpec[]): string {
  return options
    .flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])])
    .join(' ')
}

/** Whether the word behind the option is its value. */
function takesWord({ value, bare }: OptionSpec): boolean {
  return value !== undefined && bare === undefined
}

function isPath({ value }: OptionSpec): boolean {
  return value === 'file' || value === 'folder'
}

function helpWords({ commands }: Grammar): string[] {
  return [...commands.map(({ name }) => name), ...TOPICS.map(({ name }) => name)]
}

/** What stands behind an option, as cases of a POSIX-like `case`. */
function valueCases(
  { options }: Grammar,
  offer: { words: (words: string) => string; files: string; nothing: string },
): string {
  const lines = options.filter(takesWord).map((option) => {
    const choices = choicesOf(option)
    const action =
      choices.length > 0
        ? offer.words(choices.join(' '))
        : isPath(option)
          ? offer.files
          : offer.nothing
    return `    --${option.name}) ${action}; return ;;`
  })
  return lines.join('\n')
}

function bash(grammar: Grammar): string {
  const { commands, optionsOf } = grammar
  const names = commands.map(({ name }) => name)
  const cases = valueCases(grammar, {
    words: (words) => `COMPREPLY=($(compgen -W '${words}' -- "$cur"))`,
    files: 'COMPREPLY=($(compgen -f -- "$cur"))',
    nothing: 'COMPREPLY=()',
  })
  const perCommand = commands.map((command) => {
    const words = operandsOf(command).join(' ')
    return `    ${command.name}) flags='${flagsOf(optionsOf(command))}'; words='${words}' ;;`
  })
  return `# bash completion of bridge: source <(bridge completion bash)
_bridge() {
  local cur prev command='' flags words i
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  # bash takes --name=value for three words.
  if [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  case "$prev" in
${cases}
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${[...names, 'help'].join('|')}) command="\${COMP_WORDS[i]}"; break ;;
      http://*|https://*) command='relay'; break ;;
    esac
  done
  case "$command" in
${perCommand.join('\n')}
    help) flags=''; words='${helpWords(grammar).join(' ')}' ;;
    relay) flags='${flagsOf(optionsOf(undefined))}'; words='' ;;
    *) flags='${flagsOf(optionsOf(undefined))}'; words='${[...names, 'help'].join(' ')}' ;;
  esac
  if [[ $cur == -* ]]; then words=$flags; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _bridge ${PROGRAMS.join(' ')}
`
}

function zsh(grammar: Grammar): string {
  const { commands, optionsOf } = grammar
  const quoted = (text: string): string => text.replaceAll("'", `'\\''`).replaceAll(':', '\\:')
  const cases = valueCases(grammar, {
    words: (words) => `compadd -- ${words}`,
    files: '_files',
    nothing: "_message 'value'",
  })
  const described = (options: readonly OptionSpec[]): string =>
    options.map(({ name, help }) => `'--${name}:${quoted(help)}'`).join(' ')
  const perCommand = commands.map((command) => {
    const words = operandsOf(command)
    const own = words.length === 0 ? '' : ` compadd -- ${words.join(' ')};`
    return `    ${command.name}) flags=(${described(optionsOf(command))});${own} ;;`
  })
  const verbs = commands.map(({ name, help }) => `'${name}:${quoted(help)}'`).join(' ')
  return `#compdef ${PROGRAMS.join(' ')}
# zsh completion of bridge: bridge completion zsh > "\${fpath[1]}/_bridge"
_bridge() {
  local -a flags commands
  local command='' word
  commands=(${verbs} 'help:Show the help of a command or a topic.')
  case "$words[CURRENT-1]" in
${cases}
  esac
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in
      ${[...commands.map(({ name }) => name), 'help'].join('|')}) command="$word"; break ;;
      http://*|https://*) command='relay'; break ;;
    esac
  done
  case "$command" in
${perCommand.join('\n')}
    help) compadd -- ${helpWords(grammar).join(' ')}; return ;;
    relay) flags=(${described(optionsOf(undefined))}) ;;
    *) flags=(${described(optionsOf(undefined))}); [[ $PREFIX != -* ]] && _describe 'command' commands ;;
  esac
  [[ $PREFIX == -* ]] && _describe 'option' flags
}
if [[ $funcstack[1] == _bridge ]]; then _bridge "$@"; else compdef _bridge ${PROGRAMS.join(' ')}; fi
`
}

function fish(grammar: Grammar): string {
  const { commands, options, optionsOf } = grammar
  const quoted = (text: string): string =>
    `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const names = commands.map(({ name }) => name)
  const lines = PROGRAMS.flatMap((program) => {
    const complete = `complete -c ${program}`
    const none = quoted(`not __fish_seen_subcommand_from ${[...names, 'help'].join(' ')}`)
    const verbs = commands.map(
      ({ name, help }) => `${complete} -f -n ${none} -a ${name} -d ${quoted(help)}`,
    )
    const operands = commands
      .filter((command) => operandsOf(command).length > 0)
      .map((command) => {
        const when = quoted(`__fish_seen_subcommand_from ${command.name}`)
        return `${complete} -f -n ${when} -a ${quoted(operandsOf(command).join(' '))}`
      })
    const flags = options.map((option) => {
      const { name, short, help } = option
      const owners = commands.filter((command) => optionsOf(command).includes(option))
      const relay = optionsOf(undefined).includes(option)
      const when = relay
        ? ''
        : ` -n ${quoted(`__fish_seen_subcommand_from ${owners.map((owner) => owner.name).join(' ')}`)}`
      const letter = short === undefined ? '' : ` -s ${short}`
      const choices = choicesOf(option)
      const words = choices.length > 0 ? ` -f -a ${quoted(choices.join(' '))}` : ''
      const value = takesWord(option) ? ` -r${words}${isPath(option) ? ' -F' : ''}` : ''
      return `${complete}${when}${letter} -l ${name}${value} -d ${quoted(help)}`
    })
    const help = `${complete} -f -n '__fish_seen_subcommand_from help' -a ${quoted(helpWords(grammar).join(' '))}`
    return [...verbs, `${complete} -f -n ${none} -a help`, ...operands, help, ...flags]
  })
  return `# fish completion of bridge: bridge completion fish | source\n${lines.join('\n')}\n`
}

function pwsh(grammar: Grammar): string {
  const { commands, options, optionsOf } = grammar
  const words = (texts: readonly string[]): string =>
    `@(${texts.map((text) => `'${text}'`).join(', ')})`
  const flags = (command: CommandRecord | undefined): string =>
    words(optionsOf(command).map(({ name }) => `--${name}`))
  const values = options
    .filter((option) => takesWord(option) && choicesOf(option).length > 0)
    .map((option) => `    '--${option.name}' = ${words(choicesOf(option))}`)
  const free = options.filter((option) => takesWord(option) && choicesOf(option).length === 0)
  return `# PowerShell completion of bridge: bridge completion pwsh | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName ${words(PROGRAMS)} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $values = @{
${values.join('\n')}
  }
  $free = ${words(free.map(({ name }) => `--${name}`))}
  $flags = @{
${commands.map((command) => `    '${command.name}' = ${flags(command)}`).join('\n')}
  }
  $operands = @{
    'help' = ${words(helpWords(grammar))}
${commands
  .filter((command) => operandsOf(command).length > 0)
  .map((command) => `    '${command.name}' = ${words(operandsOf(command))}`)
  .join('\n')}
  }
  $given = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($wordToComplete -ne '' -and $given.Count -gt 0) { $given = @($given | Select-Object -SkipLast 1) }
  $previous = if ($given.Count -gt 0) { $given[-1] } else { '' }
  $command = $given | Where-Object { $flags.ContainsKey($_) -or $_ -eq 'help' } | Select-Object -First 1
  if ($values.ContainsKey($previous)) { $found = $values[$previous] }
  elseif ($free -contains $previous) { $found = @() }
  elseif ($wordToComplete -like '-*') { $found = if ($command -and $flags.ContainsKey($command)) { $flags[$command] } else { ${flags(undefined)} } }
  elseif ($command) { $found = if ($operands.ContainsKey($command)) { $operands[$command] } else { @() } }
  else { $found = @($flags.Keys) + 'help' | Sort-Object }
  $found | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`
}
