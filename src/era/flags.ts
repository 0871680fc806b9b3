import type { OptionSpec } from '../option-values.ts'

/** Which era the server speaks and when to translate; `auto` and `legacy` are mcp-remote's words too. */
export type Protocol =
  /** Found out from the host's first message. */
  | 'auto'
  /** The server has an `initialize`; nothing is probed. */
  | 'legacy'
  /** The server speaks 2026-07-28; nothing is probed. */
  | 'modern'
  /** As `auto`; a host that only probes is answered by the translation, too. */
  | 'translate'

/** The words of `--protocol`. */
export const PROTOCOLS: readonly Protocol[] = ['auto', 'legacy', 'modern', 'translate']

/** The flags of the era translation. */
export const ERA_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'protocol',
    value: 'auto|legacy|modern|translate',
    variable: 'BRIDGE_PROTOCOL',
    help: 'What the server speaks: initialize (legacy) or 2026-07-28 (modern); translate also answers hosts that only probe. Default: auto.',
  },
]
