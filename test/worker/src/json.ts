/** V8 has these for years; the compiler's library does not know them yet. */
interface SourceTextJson {
  parse(
    text: string,
    revive: (key: string, value: unknown, at: { source: string }) => unknown,
  ): unknown
  rawJSON(text: string): object
}
const json = JSON as unknown as SourceTextJson

// Fewer digits, and no exponent of three digits, always fit a double.
const SUSPECT = /\d{16}|[eE]\+?\d{3}/

/**
 * Parses JSON without rounding: a number that a double cannot hold becomes an opaque value that
 * `JSON.stringify` writes back digit by digit. A schema that wants a number refuses such a value,
 * which beats a tool that computes with a neighbour of what was sent.
 */
export function parseJson(text: string): unknown {
  if (!SUSPECT.test(text)) return JSON.parse(text)
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && !fits(value, source) ? json.rawJSON(source) : value,
  )
}

function fits(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(source)
}

/** JSON source text as a value; `JSON.stringify` writes it as it stands. */
export function rawJson(source: string): object {
  return json.rawJSON(source)
}
