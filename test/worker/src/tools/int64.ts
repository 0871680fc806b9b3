import { z } from 'zod'
import { rawJson } from '../json.ts'
import { answer, defineTool } from './tool.ts'

/** Legal JSON that a program loses when it parses into doubles and prints again. */
const AWKWARD: Readonly<Record<string, string>> = {
  beyond_2_53: '9007199254740993',
  int64_min: '-9223372036854775808',
  uint64_max: '18446744073709551615',
  thirty_digits: '123456789012345678901234567890',
  one_with_fraction: '1.0',
  minus_zero: '-0',
  beyond_double: '1e400',
  many_decimals: '0.1000000000000000055511151231257827',
  escaped: String.raw`"\u0041\/\u00e9"`,
  line_separator: '"\u2028"',
  nul: String.raw`"\u0000"`,
  lone_surrogate: String.raw`"\ud800"`,
}

/** Numbers beyond 2^53 and unusual legal JSON, in both directions. */
export const int64 = defineTool({
  name: 'int64',
  title: 'Awkward JSON',
  description: 'Returns numbers that do not fit a double, and your own number digit by digit.',
  input: z.strictObject({
    number: z.unknown().describe('Any JSON number, for example 12345678901234567890'),
  }),
  output: z.object({
    received: z.string().describe('The JSON text of your number as it arrived'),
    awkward: z.unknown().describe('An object of awkward values'),
  }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  run({ number }) {
    const awkward = Object.fromEntries(
      Object.entries(AWKWARD).map(([name, source]) => [name, rawJson(source)]),
    )
    return answer({ received: JSON.stringify(number) ?? 'nothing', awkward })
  },
})
