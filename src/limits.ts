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

/** How long what else is still to be written may take at the end: status file, trace, stderr. */
export const FLUSH_MS = 100

/** Lines on stderr in this time; hosts keep them in files (280,000 a minute were seen in the field). */
export const MAX_LOG_LINES = 200
export const LOG_WINDOW_MS = 60_000
/** How long connections may take to end, and the lines behind them to be refused: ten thousand are work. */
export const CLOSING_MS = 1_000

/**
 * How long the last answers wait for a host that takes not a byte of them: a busy machine leaves a
 * host without its turn for some hundred milliseconds.
 */
export const HOST_SILENT_MS = 500

/** How long a host may take for the last answers when it does read. Most hosts kill after 2 s. */
export const LAST_WORDS_MS = 5_000

/** A parent killed with SIGKILL must be noticed, and we be gone, within 2 s. */
export const PARENT_CHECK_MS = 500

/** TCP and TLS handshake: longer than three lost SYN packets (1 + 2 + 4 s). */
export const CONNECT_TIMEOUT_MS = 10_000

/**
 * How long one address of a host may take before the next one is tried: longer than a packet needs
 * around the world and back (400 ms), because Node gives the first attempt up then.
 */
export const FAMILY_ATTEMPT_MS = 500

/** TCP keep-alive begins after this much silence: NATs forget connections after a minute at the earliest. */
export const TCP_KEEP_ALIVE_MS = 30_000

/** Requests at once on one HTTP/2 connection: what servers allow at least (RFC 9113 §6.5.2). */
export const MAX_STREAMS_PER_CONNECTION = 100

/** How long to look for the address of a name that a proxy will resolve; without one it decides alone. */
export const PROXY_LOOKUP_MS = 1_000

/** Origins whose TLS sessions are kept: a server and its authorization servers are a handful. */
export const MAX_REMEMBERED_ORIGINS = 100

/** Cookies of one origin, and the longest one (RFC 6265 §6.1). */
export const MAX_COOKIES = 50
export const MAX_COOKIE_BYTES = 4096

/** All cookies of one origin together: servers refuse request headers above 8 KiB. */
export const MAX_ORIGIN_COOKIE_BYTES = 4096

/** Load balancers close idle connections after 60 s; we drop them first. */
export const KEEP_ALIVE_MS = 45_000

/**
 * A call that must not happen twice gets a new connection when the old one was idle for longer,
 * whatever the server promises: routers and load balancers forget without a word. As undici does.
 */
export const MAX_TRUSTED_IDLE_MS = 4_000

/**
 * How long a connection that was idle may be silent, at the least, before what may be repeated is sent
 * over a new one as well: as long as a browser waits before it tries another address (RFC 8305 §5).
 */
export const SECOND_TRY_MIN_MS = 250

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

/** How long a request is tried again when the server is away or busy: a restart or a deployment. */
export const RETRY_FOR_MS = 20_000

/** Bounds of the pause between two tries of one request, doubled each time. */
export const RETRY_MIN_MS = 100
export const RETRY_MAX_MS = 5_000

/** One new session in this time: a server that loses sessions faster is broken, not restarting. */
export const RENEWAL_PAUSE_MS = 5_000

/** How long requests of a lost session may still get their answer, or their own refusal. */
export const LOST_SESSION_GRACE_MS = 2_000

/** What is repeated in a new session (log level, subscriptions) holds nobody up for longer. */
export const REPLAY_MS = 5_000

/** Subscriptions that are repeated in a new session; a host that has more is asked to renew them. */
export const MAX_SUBSCRIPTIONS = 1_000

/** A stream that lived this long was healthy: the next pause is the shortest again. */
export const HEALTHY_STREAM_MS = 30_000

/** What was said in a shorter gap of a stream that ended in good order is very likely nothing. */
export const STREAM_GAP_MS = 1_000

/** Hosts answer each list_changed with a new list: after gaps they are told this seldom. */
export const LIST_CHANGED_PAUSE_MS = 60_000

/** How long a ping may be unanswered: a loaded server answers within this, a dead one never. */
export const PING_TIMEOUT_MS = 10_000

/** How often the clock is looked at. */
export const CLOCK_CHECK_MS = 1_000

/** How often the machine's own addresses are looked at: a tenth of a millisecond each time. */
export const NETWORK_CHECK_MS = 3_000

/** A clock that jumps further than this has slept; a busy machine is never this late. */
export const WAKE_AFTER_MS = 10_000

/** The status file is written this long after a change: a storm of changes costs one write. */
export const STATUS_WRITE_MS = 1_000

/** Status files that are looked at for bridges that were killed; more than a machine runs. */
export const MAX_STATUS_FILES = 1_000
/** Tools of one server whose fingerprints and hints are kept; the largest known server lists 1,200. */
export const MAX_KNOWN_TOOLS = 10_000

/** Nesting of a tool's schema that is put in order before it is compared; deeper parts as they are. */
export const MAX_CANONICAL_DEPTH = 200

/** Stored sign-ins that are listed; a person has a dozen. */
export const MAX_LISTED_SIGN_INS = 1_000

/** A progress line fits on a terminal that has the classic width. */
export const MAX_PROGRESS_CHARS = 79

/** Pages of a list that a command follows; the largest known server fills three. */
export const MAX_LISTED_PAGES = 100

/** Pings of one `bridge ping`: a measurement, not a load test. */
export const MAX_PINGS = 1_000

/** Pause between two pings, so that they do not queue up behind each other on the way. */
export const PING_PAUSE_MS = 100

/** How long a call waits for the host to come back with a person's answers. */
export const PARKED_MS = 10 * 60_000

/** Calls that wait for the host at the same time; above it the oldest is given up. */
export const MAX_PARKED_CALLS = 1_000

/** Questions of one call that nobody has answered yet; a server with more of them is broken. */
export const MAX_CALL_QUESTIONS = 100

/** A server that asks several things asks them in one go: what comes within this is one round. */
export const QUESTION_GATHER_MS = 20

/** How long a call waits to be told that a person is done with a page; not every server tells. */
export const PAGE_VISIT_MS = 10_000

/** Pages of a tool list that are read to find out how a tool runs; no known server has as many. */
export const MAX_TOOL_PAGES = 100

/** A server that had no `server/discover` is asked again after a day: it may have been upgraded. */
export const LEGACY_VERDICT_MS = 24 * 60 * 60_000

/** Rounds of questions for one call of the stateless era; the SDKs stop after as many. */
export const MAX_INPUT_ROUNDS = 10

/** How long a person has to answer all questions of one call: a coffee, and a look at the documents. */
export const INPUT_MS = 15 * 60_000

/** Questions of one round; a form with more of them is a mistake or an attack. */
export const MAX_QUESTIONS_PER_ROUND = 100

/** Pause before a call is repeated that the server wants repeated without a question; as the SDKs pace it. */
export const STATE_ONLY_PAUSE_MS = 250

/** How long a server may take to acknowledge a subscription before the host hears that it did not. */
export const ACKNOWLEDGE_MS = 10_000

/** Resources that one host may be subscribed to; their addresses are all sent again with each new one. */
export const MAX_SUBSCRIBED_RESOURCES = 1_000

/** How long a subscription waits to learn whether the server can tell of changes; then it is believed. */
export const STREAM_KNOWN_MS = 1_000

/**
 * How long the first call of a session waits for the stream on which the server may ask something. A
 * server that answers such a request only with its first message costs that much, once; people's first
 * call comes later anyway.
 */
export const CALL_BEHIND_STREAM_MS = 500

/** Largest file of a host that is read: Claude Code's holds its history, tens of MB of it. */
export const MAX_HOST_FILE_BYTES = 128 * 1024 * 1024

/** Backups of one file of a host that are kept, the newest ones. */
export const KEPT_BACKUPS = 5

/** Tries to put a host's file in its place on Windows, where others may hold it, and the pause between. */
export const HOST_FILE_RENAMES = 5
export const HOST_FILE_RENAME_PAUSE_MS = 200

/** Unchanged lines around a change that is shown, as `diff -u` has it. */
export const DIFF_CONTEXT_LINES = 3

/** How long a host's own command may take: Claude Code's needs two seconds. */
export const OWN_COMMAND_MS = 30_000
/** How long a program may take to print a token: those of clouds start an interpreter and ask a server. */
export const TOKEN_COMMAND_MS = 30_000

/** Longest output of such a program: tokens with many groups reach 16 KiB, and JSON is around them. */
export const MAX_COMMAND_OUTPUT_BYTES = 64 * 1024

/** Lines of such a program's stderr that are repeated. */
export const MAX_COMMAND_LINES = 5

/** Longest policy file; it lists some origins. */
export const MAX_POLICY_BYTES = 256 * 1024

/** All that `bridge doctor` asks of the network together: what takes longer is the finding. */
export const DOCTOR_NETWORK_MS = 15_000

/** How long a program in PATH may take to say its version; a cold Node needs 100 ms. */
export const PROGRAM_VERSION_MS = 3_000

/** Clocks that differ by more make signed requests and short tokens fail (RFC 7523 §3 lets servers allow minutes). */
export const MAX_CLOCK_SKEW_MS = 60_000

/** A certificate that ends sooner is worth a word: time enough to reach its operator. */
export const CERTIFICATE_WARNING_MS = 7 * 24 * 60 * 60_000

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

/** How long after the first answer the compiled code is kept for the next start: the host is served first. */
export const CODE_CACHE_MS = 2_000

/** Files of compiled code, half a megabyte each: a build and a Node or two, and what was there before. */
export const CODE_CACHE_FILES = 4
