/** Every bound of the program in one place, with its reason. Sizes in bytes, times in milliseconds. */

/**
 * The longest single message in either direction. Well above the 64 MiB that real servers send as
 * base64 files, below the 512 MiB at which V8 strings of a host break.
 */
export const MAX_FRAME_BYTES = 256 * 1024 * 1024

/** Host lines waiting for their turn on the wire; above it stdin is paused. */
export const MAX_QUEUED_HOST_BYTES = 64 * 1024 * 1024

/** Unsent bytes towards the host; above it the remote streams are paused. */
export const STDOUT_HIGH_WATER_BYTES = 1024 * 1024

/** Frames of one event-loop turn are copied into one write up to this size, larger ones go as they are. */
export const STDOUT_COPY_BYTES = 256 * 1024

/** Response bytes kept before anybody reads the body; above it the socket is paused. */
export const RESPONSE_HIGH_WATER_BYTES = 256 * 1024

/** A request body in several pieces is joined up to this size, larger ones are sent piece by piece. */
export const BODY_JOIN_BYTES = 64 * 1024

/** Requests of the host without an answer yet: ten times what the busiest host was seen to send. */
export const MAX_OPEN_REQUESTS = 20_000

/** How much of an HTTP error body is read: it holds one JSON-RPC error or prose. */
export const MAX_ERROR_BODY_BYTES = 1024 * 1024

/** Names, ids and event types of an SSE stream; they are short tokens in every known server. */
export const MAX_EVENT_FIELD_BYTES = 64 * 1024

/** JSON-RPC error messages reach a language model and a person: one sentence, not a page. */
export const MAX_ERROR_MESSAGE_CHARS = 500

/** stdin has ended: how long answers in flight may still arrive. Hosts send SIGTERM after 2 s. */
export const DRAIN_MS = 1_000

/** Head start of the answers to the server's open requests over the session's DELETE. */
export const LAST_ANSWERS_MS = 100

/** How long the session's DELETE may take at the end; with DRAIN_MS it stays under 1.5 s. */
export const SESSION_DELETE_MS = 300

/** How long the last bytes may wait for a host that does not read any more. */
export const FLUSH_MS = 100

/** A parent killed with SIGKILL must be noticed, and we be gone, within 2 s. */
export const PARENT_CHECK_MS = 500

/** TCP and TLS handshake: longer than three lost SYN packets (1 + 2 + 4 s). */
export const CONNECT_TIMEOUT_MS = 10_000

/** Load balancers close idle connections after 60 s; we drop them first. */
export const KEEP_ALIVE_MS = 45_000

/** Nothing heard of a request for this long: one line on stderr, never a failure. */
export const PROGRESS_AFTER_MS = 60_000

/** How often waiting requests are looked at for the two limits above. */
export const PATIENCE_CHECK_MS = 1_000

/** An HTTP+SSE server names its endpoint at once; the SDKs' servers do it in the first packet. */
export const ENDPOINT_EVENT_MS = 5_000

/**
 * How long a cancellation right behind its request waits for a sign that the server has the request:
 * three times what a busy server was seen to need to read a new connection.
 */
export const ARRIVAL_MS = 250

/** Redirects of one request on one origin. Browsers stop at 20; an API needs one, for a slash. */
export const MAX_REDIRECTS = 3

/** First pause before a broken stream is opened again, doubled up to the next limit. */
export const REOPEN_MIN_MS = 100

/** Longest pause between two tries to open a broken stream. */
export const REOPEN_MAX_MS = 30_000

/** Longest `retry:` of a server that is honoured; a typo must not silence a stream for a day. */
export const MAX_SERVER_RETRY_MS = 10 * 60_000

/** Tries to resume the stream of one request before it is answered with an error. */
export const MAX_RESUMES_WITHOUT_PROGRESS = 5

/** OAuth metadata and token responses are a few KiB; what is larger is a mistake or an attack. */
export const MAX_AUTH_BODY_BYTES = 1024 * 1024

/** One metadata document, redirects and body included. Discovery asks for up to six of them. */
export const AUTH_GET_MS = 10_000

/** One request to a token, registration or device endpoint: some check with other systems first. */
export const AUTH_POST_MS = 30_000

/** How long `initialize` waits for a sign-in before it is answered in the server's place: Codex gives up after 10 s. */
export const INITIALIZE_PATIENCE_MS = 5_000

/** How long a list waits for a sign-in before it is answered with what there is: Continue gives up after 20 s. */
export const LIST_PATIENCE_MS = 18_000

/** How often it is looked whether a sign-in has come to wait for a person. */
export const SIGN_IN_CHECK_MS = 250

/** A temporary file of the store that is older was left by a process that is gone. */
export const STALE_TEMPORARY_MS = 60_000

/** How often the holder of a lock shows that it lives, and how often others look. */
export const LOCK_BEAT_MS = 2_000
export const LOCK_POLL_MS = 50

/** A lock that nobody touched for this long is of a dead owner: five missed beats. */
export const LOCK_SILENCE_MS = 10_000

/** How long to wait for another process's token request: its own limit, and a pause for retries. */
export const LOCK_WAIT_MS = 45_000

/** How long a person has to sign in: two factors and a forgotten password, then it is given up. */
export const SIGN_IN_MS = 5 * 60_000

/** Pauses before an authorization server that did not answer is asked again, with a quarter of jitter. */
export const AUTH_RETRIES_MS: readonly number[] = [500, 1_500, 3_000]

/** A host that restarts us after a failed sign-in must not fill the screen with tabs. */
export const TAB_PAUSE_MS = 5 * 60_000

/** How often a process looks whether another one has completed the sign-in. */
export const FOLLOW_POLL_MS = 250

/** Between two questions for a device code, when the server does not say (RFC 8628 §3.2). */
export const DEVICE_INTERVAL_MS = 5_000

/** Bounds of the pause that the server asks for: no person is faster than a second, none waits longer. */
export const MIN_DEVICE_INTERVAL_MS = 1_000
export const MAX_DEVICE_INTERVAL_MS = 60_000

/** What `slow_down` adds, for good (RFC 8628 §3.5). */
export const DEVICE_SLOW_DOWN_MS = 5_000

/** A token is renewed this long before its end, so that no request arrives with a dead one. */
export const MAX_EXPIRY_MARGIN_MS = 60_000

/** Token requests per minute for one server; more is a loop (456 per second were seen in the field). */
export const MAX_RENEWALS_PER_MINUTE = 10

/** A server that refuses a token from a sign-in just made is left alone for this long. */
export const REFUSED_FRESH_MS = 60_000

/** Sign-ins for more scopes, for one operation (MCP authorization, Step-Up Authorization Flow: "a few"). */
export const MAX_STEP_UPS_PER_OPERATION = 3

/** Operations whose step-ups are counted; the oldest are forgotten. */
export const MAX_COUNTED_OPERATIONS = 1_000

/** Renewals for one request: a refresh, then a sign-in; a third refusal is the server's last word. */
export const MAX_AUTH_ROUNDS = 2

/** Longest InitializeResult that is kept on disk; the largest known one has 30 KiB of instructions. */
export const MAX_INTRODUCTION_BYTES = 256 * 1024

/** Texts that a person may paste without use: two pages may be open, and one be copied by half. */
export const MAX_PASTES = 5

/** How long the system's keychain may take: it answers in milliseconds, unless it waits for a person. */
export const KEYCHAIN_MS = 5_000

/** The process that talks to the keychain ends after this long without a question. */
export const KEYCHAIN_IDLE_MS = 2_000

/** Longest text of one entry: the Windows Credential Manager takes 2,560 bytes, in UTF-16. */
export const KEYCHAIN_PIECE_CHARS = 1_200

/** Secrets that are remembered so that they can be masked; the oldest are forgotten, they have long expired. */
export const MAX_KNOWN_SECRETS = 1_000

/** Shorter values are words that occur anywhere (`true`, `admin`); they are masked only where they stand. */
export const MIN_SECRET_CHARS = 6

/** How much of a frame the trace keeps when nobody says otherwise: whole answers, no base64 files. */
export const TRACE_CAP_BYTES = 256 * 1024

/** The largest `--trace-cap`: a record must fit into the queue several times. */
export const MAX_TRACE_CAP_BYTES = 2 * 1024 * 1024

/** Records that wait for the disk; what comes on top is dropped and counted. */
export const TRACE_QUEUE_BYTES = 8 * 1024 * 1024

/** So much is written at once, or what there is after `TRACE_WRITE_MS`. */
export const TRACE_WRITE_BYTES = 256 * 1024
export const TRACE_WRITE_MS = 50

/** A trace goes on in a new file at this size; a handful of them is kept. */
export const TRACE_FILE_BYTES = 16 * 1024 * 1024
export const TRACE_FILES = 4

/** Trace files in their folder; the oldest are removed, so that `--debug` can stay in a configuration. */
export const TRACE_FOLDER_FILES = 24

/** How far behind the end of a cut frame a secret is looked for: no header, so no token, is longer. */
export const TRACE_CUT_MARGIN_BYTES = 16 * 1024

/** Records that a view keeps in memory: ten times what a long day of a host leaves behind. */
export const MAX_TRACE_RECORDS = 200_000

/** How often `bridge trace --follow` looks for more. */
export const TRACE_FOLLOW_MS = 200

/** How long a replayed request waits for its answer. */
export const REPLAY_ANSWER_MS = 60_000

/** Differences that are shown for one replayed answer. */
export const MAX_SHOWN_DIFFERENCES = 20
