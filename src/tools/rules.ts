import type { ToolRules } from './options.ts'

/** What a rule says about a tool: the rule that keeps it away, as the user wrote it. */
export type Refusal = string | undefined

/** Judges names by `--ignore-tool` and `--allow-tool`. */
export function nameJudge({ allow, ignore }: ToolRules): (name: string) => Refusal {
  const ignored = ignore.map((pattern) => ({ pattern, fits: glob(pattern) }))
  const allowed = allow.map(glob)
  return (name) => {
    const found = ignored.find(({ fits }) => fits(name))
    if (found !== undefined) return `--ignore-tool ${found.pattern}`
    if (allow.length === 0 || allowed.some((fits) => fits(name))) return undefined
    return `--allow-tool ${allow.join(' ')}`
  }
}

/** `*` is any run of characters, `?` one character; everything else is itself, case included. */
function glob(pattern: string): (name: string) => boolean {
  const wanted = [...pattern]
  return (name) => {
    const given = [...name]
    let at = 0
    let here = 0
    /** Behind the last star, and the first character that it has not swallowed yet. */
    let star = -1
    let swallowed = 0
    // One star is reconsidered at most, so a long name costs no more than its length times that of
    // the pattern; a regular expression with several stars has no such bound.
    while (here < given.length) {
      if (wanted[at] === '*') {
        star = ++at
        swallowed = here
      } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === given[here])) {
        at++
        here++
      } else if (star !== -1) {
        at = star
        here = ++swallowed
      } else return false
    }
    while (wanted[at] === '*') at++
    return at === wanted.length
  }
}
