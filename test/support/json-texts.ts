import * as fc from 'fast-check'

/** White space that may stand between the tokens of a JSON text. */
export const space: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom(' ', '\n', '\r\n', '\t', ' \r \n') },
)

/** Sources of numbers that a parsed and re-serialised value would not give back. */
const numbers = fc.oneof(
  fc.constantFrom('0', '-0', '1.0', '1e400', '-1E-400', '12345678901234567890', '9007199254740993'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.bigInt().map(String),
)

/** One character of a string, as JSON texts may write it. */
const character = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .string({ unit: 'binary', minLength: 1, maxLength: 1 })
      .map((text) => JSON.stringify(text).slice(1, -1)),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\\u00e9', '\\/', '\\"', '\\\\', '\\u2028', '\u2028', '\u{1F600}'),
  },
  { weight: 1, arbitrary: fc.constantFrom('\\ud800', '\\uDFFF', '\\u0000', '\\b', '\u007f') },
)

/** Sources of strings, quotes included: any characters, any escapes, lone surrogates as escapes. */
export const strings: fc.Arbitrary<string> = fc
  .array(character, { maxLength: 12 })
  .map((characters) => `"${characters.join('')}"`)

/** Valid JSON texts as people, printers and machines write them: any values, white space, duplicate keys. */
export const texts: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom('null', 'true', 'false'),
    numbers,
    strings,
    fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 5 })
      .map((items) => `[${items.map((item) => item.join('')).join(',')}]`),
    fc
      .array(fc.tuple(space, strings, space, fc.constant(':'), space, tie('value'), space), {
        maxLength: 5,
      })
      .map((members) => `{${members.map((member) => member.join('')).join(',')}}`),
  ),
})).value

/** A text with some characters removed, replaced or put in: often, but not always, broken. */
export const damaged: fc.Arbitrary<string> = fc
  .tuple(
    texts,
    fc.array(
      fc.record({
        at: fc.nat(),
        remove: fc.nat(2),
        insert: fc.string({
          unit: fc.constantFrom(...'{}[]:,"\\/ \n01-+.eEtfnu\u0001x'),
          maxLength: 2,
        }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([text, edits]) => {
    let result = text
    for (const { at, remove, insert } of edits) {
      const from = at % (result.length + 1)
      result = result.slice(0, from) + insert + result.slice(from + remove)
    }
    return result
  })

/** Where to cut a text; each number is taken modulo what is left. */
export const cuts: fc.Arbitrary<number[]> = fc.array(fc.nat(40), { maxLength: 20 })

/** The bytes of a text in pieces, each in memory of its own, as a socket hands them over. */
export function inPieces(text: string | Buffer, lengths: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text)
  const pieces: Buffer[] = []
  let at = 0
  for (const length of lengths) {
    pieces.push(Buffer.from(bytes.subarray(at, at + length)))
    at += length
  }
  pieces.push(Buffer.from(bytes.subarray(at)))
  return pieces
}

/** The judgement of the reference. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
