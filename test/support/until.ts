/** Waits for a condition with a deadline; the error says what was waited for and what was there. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { ms = 40_000, seen = () => '' }: { ms?: number; seen?: () => string } = {},
): Promise<T> {
  const deadline = Date.now() + ms
  for (;;) {
    const value = await look()
    if (value !== undefined && value !== false) return value
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms for ${what}\n${seen()}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
  }
}
