/** Severity of a log line; decides which console method, so that dashboards can filter by it. */
export type Level = 'debug' | 'info' | 'warn' | 'error'

/** What a log line may carry: no tokens, no arguments, no session ids. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>

/** Writes one JSON line; `wrangler tail --format json` and Workers Logs index its fields. */
export function logEvent(level: Level, event: string, fields: Fields = {}): void {
  console[level](JSON.stringify({ level, event, ts: new Date().toISOString(), ...fields }))
}

/** Name, message and stack of anything that was thrown, for `error` lines only. */
export function errorFields(thrown: unknown): Fields {
  if (!(thrown instanceof Error)) return { error: String(thrown) }
  return { error: `${thrown.name}: ${thrown.message}`, stack: thrown.stack }
}
