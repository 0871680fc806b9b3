import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { type TokenChallenge, tokenChallenge } from '../../src/auth/challenge.ts'
import type { Property, Tally } from './property.ts'

/** Characters by RFC 9110 §5.6.2, §5.6.4 and §11.2. */
const LETTERS = 'abcXYZ'
const TOKEN = [...LETTERS, ..."019!#$%&'*+-.^_`|~"]
const TOKEN68 = [...LETTERS, ...'019-._~+/']
const QUOTED = [...TOKEN, ...' \t,=()/:;<>?@[]{}é"\\']

const token = fc.string({ unit: fc.constantFrom(...TOKEN), minLength: 1, maxLength: 8 })

/** A value as it is meant and as it is written. */
const value = fc.oneof(
  token.map((text) => ({ text, source: text })),
  fc
    .array(fc.tuple(fc.constantFrom(...QUOTED), fc.boolean()), { maxLength: 12 })
    .map((characters) => ({
      text: characters.map(([character]) => character).join(''),
      source: `"${characters
        .map(([character, escaped]) =>
          escaped || character === '"' || character === '\\' ? `\\${character}` : character,
        )
        .join('')}"`,
    })),
)

/** The same word in large and small letters. */
const anyCase = (word: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(word, fc.infiniteStream(fc.boolean()))
    .map(([text, upper]) =>
      Array.from(text, (letter) =>
        upper.next().value ? letter.toUpperCase() : letter.toLowerCase(),
      ).join(''),
    )

const gap = fc.constantFrom('', '', ' ', '\t ')
const authParameter = fc
  .tuple(
    fc.oneof(
      anyCase(fc.constantFrom('scope', 'resource_metadata', 'error', 'error_description', 'realm')),
      token,
    ),
    gap,
    gap,
    value,
  )
  .map(([name, a, b, { text, source }]) => ({
    name: name.toLowerCase(),
    text,
    source: `${name}${a}=${b}${source}`,
  }))
const commas = fc.constantFrom(',', ', ', ' ,\t', ', ,', ',,')
const challenge = fc
  .record({
    scheme: fc.oneof(anyCase(fc.constantFrom('bearer', 'bearer', 'dpop', 'basic')), token),
    parameters: fc.uniqueArray(authParameter, { maxLength: 4, selector: ({ name }) => name }),
    token68: fc.option(
      fc
        .tuple(
          fc.oneof(
            fc.string({ unit: fc.constantFrom(...TOKEN68), minLength: 1, maxLength: 8 }),
            fc.constantFrom('dpop', 'scope'), // it may look like anything
          ),
          fc.constantFrom('', '=', '=='),
        )
        .map((parts) => parts.join('')),
    ),
    comma: commas,
  })
  .map(({ scheme, parameters, token68, comma }) => {
    const alone = token68 !== null && parameters.length === 0
    const rest = alone ? token68 : parameters.map(({ source }) => source).join(comma)
    return { scheme: scheme.toLowerCase(), parameters, source: `${scheme}  ${rest}`.trimEnd() }
  })
type Challenge = typeof challenge extends fc.Arbitrary<infer T> ? T : never

/** What the challenges for a token say together: of each parameter, the first that says anything. */
function expected(challenges: readonly Challenge[]): TokenChallenge | undefined {
  const found = challenges.filter(({ scheme }) => scheme === 'bearer' || scheme === 'dpop')
  const read = (name: string): string | undefined =>
    found
      .flatMap(({ parameters }) => parameters)
      .find((parameter) => parameter.name === name && parameter.text !== '')?.text
  if (found.length === 0) return undefined
  return {
    dpop: found.some(({ scheme }) => scheme === 'dpop'),
    resourceMetadata: read('resource_metadata'),
    scope: read('scope'),
    error: read('error'),
    errorDescription: read('error_description'),
  }
}

const tally: Tally = { what: 'headers with a challenge for a token', atLeast: 0.3, count: 0 }

export const legal: Property = {
  name: 'challenges: what a server may write is what is read',
  runs: 1000,
  tally,
  property: fc.property(
    fc.array(fc.tuple(challenge, commas, fc.boolean()), { maxLength: 4 }),
    (list) => {
      const values = ['']
      for (const [{ source }, comma, isNew] of list) {
        if (isNew) values.push(source)
        else values.push(`${values.pop()}${comma}${source}`)
      }
      const challenges = list.map(([one]) => one)
      const found = tokenChallenge(values)
      if (found !== undefined) tally.count++
      assert.deepEqual(found, expected(challenges))
    },
  ),
}

const hostile = fc.array(
  fc.oneof(
    fc.constantFrom(
      'Bearer ',
      'scope',
      '=',
      '"',
      '\\',
      ',',
      ' ',
      '  ',
      '==',
      '\t',
      'a',
      '\0',
      '\n',
    ),
    fc.string({ unit: 'binary', maxLength: 4 }),
  ),
  { minLength: 1, maxLength: 8 },
)
const LONG = 100_000

/** CPU time, because the machine may be busy; whatever is quadratic takes minutes. */
const MOST_CPU_MS = 2_000

export const any: Property = {
  name: 'challenges: no header makes the parser throw or hang',
  runs: 20,
  property: fc.property(hostile, hostile, hostile, (head, pieces, tail) => {
    const piece = pieces.join('') || ' '
    const text = head.join('') + piece.repeat(LONG / piece.length) + tail.join('')
    const before = process.cpuUsage()
    tokenChallenge([text, head.join('')])
    const { user, system } = process.cpuUsage(before)
    assert.ok((user + system) / 1000 < MOST_CPU_MS, `${(user + system) / 1000} ms`)
  }),
}
