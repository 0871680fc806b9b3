/** Largest request body. The SDK's own bound; no tool here takes more than a few kilobytes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024

/** Idle sessions are deleted after this time unless SESSION_TTL_S says otherwise. */
export const SESSION_TTL_S = 30 * 60

/** An alarm is moved only when it is this share of the TTL off, to save one write per request. */
export const ALARM_SLACK = 0.1

/** A SQLite value in a Durable Object may hold 2 MB; events are stored in parts below that. */
export const EVENT_PART_BYTES = 1024 * 1024

/** What one session keeps for resumption; the oldest events go first. */
export const EVENTS_BYTES = 16 * 1024 * 1024

/** How long a client should wait before it resumes a stream. */
export const RETRY_MS = 500

/** Comment lines on open streams, below the 60 s after which common proxies cut an idle answer. */
export const KEEP_ALIVE_MS = 15_000

/** Cloudflare KV refuses a shorter expiry. */
export const KV_MIN_TTL_S = 60

/** How many array elements and object members one tool call may carry. */
export const MAX_TOOL_INPUT_ELEMENTS = 10_000

/** Deliveries of one job before it is marked as failed; equals `max_retries` + 1 of the queue. */
export const JOB_ATTEMPTS = 3

/** Rate-limit answers name the length of the binding's period. */
export const RATE_LIMIT_PERIOD_S = 60
