// @ts-check
/**
 * Loaded into the suite for a second try: it gives some requests half a second, which no specification
 * asks of a server and a busy machine may not have. What it waits for stays what it is.
 */
const TIMES = 10
const timer = globalThis.setTimeout
Reflect.set(
  globalThis,
  'setTimeout',
  (/** @type {() => void} */ work, /** @type {number} */ ms, /** @type {[]} */ ...rest) =>
    timer(work, TIMES * ms, ...rest),
)
