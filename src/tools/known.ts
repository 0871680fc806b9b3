import { items, locate, valueAt } from '../json/locate.ts'
import type { Span } from '../json/scanner.ts'
import { MAX_KNOWN_TOOLS } from '../limits.ts'
import type { Log } from '../log.ts'
import { fingerprint } from './canonical.ts'
import type { ToolRules } from './options.ts'
import type { Pins } from './pins.ts'
import { nameJudge, type Refusal } from './rules.ts'

/** The tools of a server as the rules see them. */
export interface KnownTools {
  /** Learns from the result of a `tools/list`; returns the items that the host must not see. */
  learn(result: Buffer): readonly Span[]
  /** Why a tool must not be called; `undefined` when it may. */
  refusal(name: string): Refusal
}

/** An empty table; `pins` when they are asked for. */
export function createKnownTools(
  rules: ToolRules,
  pins: Pins | undefined,
  host: string,
  log: Log,
): KnownTools {
  const byName = nameJudge(rules)
  const strict = rules.pin === 'strict'
  const needsListing = rules.readOnly || strict
  /** Tools that were listed, and what stands against each beyond its name. */
  const listed = new Map<string, Refusal>()
  const told = new Set<string>()

  /** Compares with the pins; says each change once. */
  function pinned(name: string, tool: Buffer): Refusal {
    const verdict = pins?.judge(name, fingerprint(tool)) ?? 'same'
    if (verdict === 'same') return undefined
    if (!told.has(name) && told.size < MAX_KNOWN_TOOLS) {
      told.add(name)
      const what = verdict === 'added' ? 'has added the tool' : 'has changed the tool'
      const so = strict ? 'it is left out' : 'look at it'
      log.warn(
        `${host} ${what} ${name} since its tools were pinned; ${so}. --pin-tools=accept takes it as it is now.`,
      )
    }
    return strict ? '--pin-tools=strict' : undefined
  }

  function judge(name: string, tool: Buffer): Refusal {
    const pin = pinned(name, tool)
    const writes = rules.readOnly && valueAt(tool, 'annotations', 'readOnlyHint') !== true
    return writes ? '--read-only' : pin
  }

  return {
    learn(result) {
      const list = locate(result, 'tools')
      if (list === undefined) return []
      const dropped: Span[] = []
      for (const item of items(result, list)) {
        const tool = result.subarray(item.start, item.end)
        const name = valueAt(tool, 'name')
        // Nobody can call what has no name.
        if (typeof name !== 'string') {
          dropped.push(item)
          continue
        }
        const refusal = byName(name) ?? judge(name, tool)
        if (listed.has(name) || listed.size < MAX_KNOWN_TOOLS) listed.set(name, refusal)
        if (refusal !== undefined) dropped.push(item)
      }
      pins?.endPage(valueAt(result, 'nextCursor') === undefined)
      return dropped
    },
    refusal(name) {
      const refused = byName(name) ?? listed.get(name)
      if (refused !== undefined || !needsListing || listed.has(name)) return refused
      return rules.readOnly
        ? '--read-only, and the server has not listed it in this session'
        : '--pin-tools=strict, and the server has not listed it in this session'
    },
  }
}
