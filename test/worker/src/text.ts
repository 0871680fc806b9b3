import { z } from 'zod'

// Everything invisible but tab and line feed, direction overrides included: such characters can
// make a person see another text than the program does.
const HIDDEN = /[\p{Cc}\p{Cf}]/u
const hasHidden = (text: string) => HIDDEN.test(text.replaceAll(/[\t\n\u200D]/g, ''))

/** Text from outside: bounded, normalised, without control characters. */
export function safeText(maxLength: number): z.ZodType<string, string> {
  return z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .normalize()
    .refine((text) => !hasHidden(text), 'Control characters are not allowed')
}

/** A name that is also a part of a URI or a storage key. */
export function safeName(): z.ZodString {
  return z.string().regex(/^[\w-]{1,64}$/, 'Use 1 to 64 letters, digits, _ or -')
}

/** A key that a client repeats when it repeats a call. */
export function idempotencyKey(): z.ZodOptional<z.ZodString> {
  return safeName()
    .describe('Repeat it when you repeat the call: the second call then changes nothing')
    .optional()
}
