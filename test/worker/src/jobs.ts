import type { Env } from './env.ts'
import { JOB_ATTEMPTS } from './limits.ts'
import { errorFields, logEvent } from './log.ts'
import { ownerState } from './owner-stub.ts'

/** What the queue carries; everything else about a job is in its row. */
export interface JobMessage {
  readonly id: string
}

/** The kinds of work there are. */
export const JOB_TASKS = ['count_words', 'flaky', 'hopeless'] as const

/** Name of a kind of work. */
export type JobTask = (typeof JOB_TASKS)[number]

/** A job as its owner sees it. */
export interface Job {
  readonly id: string
  readonly task: JobTask
  readonly status: 'processing' | 'done' | 'failed'
  readonly attempts: number
  readonly result: string | null
}

type Work = (input: string, attempt: number) => string

const countWords: Work = (input) => String(input.split(/\s+/).filter((word) => word !== '').length)

const work: Readonly<Record<JobTask, Work>> = {
  count_words: countWords,
  flaky(input, attempt) {
    if (attempt === 1) throw new Error('flaky fails at its first attempt')
    return countWords(input, attempt)
  },
  hopeless() {
    throw new Error('hopeless fails at every attempt')
  },
}

/** Writes the row and queues the work; a repeated idempotency key returns the earlier job. */
export async function startJob(
  env: Env,
  owner: string,
  task: JobTask,
  input: string,
  key: string | undefined,
): Promise<{ id: string; status: string; replayed: boolean }> {
  const inserted = await env.DB.prepare(
    `INSERT INTO jobs (id, owner, task, input, status, created_at, idempotency_key)
     VALUES (?, ?, ?, ?, 'processing', ?, ?)
     ON CONFLICT (owner, idempotency_key) DO NOTHING RETURNING id, status`,
  )
    .bind(crypto.randomUUID(), owner, task, input, new Date().toISOString(), key ?? null)
    .first<{ id: string; status: string }>()
  if (inserted !== null) {
    await enqueue(env, inserted.id)
    return { ...inserted, replayed: false }
  }
  const earlier = await env.DB.prepare(
    'SELECT id, status FROM jobs WHERE owner = ? AND idempotency_key = ?',
  )
    .bind(owner, key ?? null)
    .first<{ id: string; status: string }>()
  if (earlier === null) throw new Error('a job vanished between insert and select')
  return { ...earlier, replayed: true }
}

/** A row without a message would say `processing` for ever, to a repeated call as well. */
async function enqueue(env: Env, id: string): Promise<void> {
  try {
    await env.JOBS.send({ id })
  } catch (thrown) {
    await env.DB.prepare('DELETE FROM jobs WHERE id = ?').bind(id).run()
    throw thrown
  }
}

/** A job of this owner, if there is one. */
export async function findJob(env: Env, owner: string, id: string): Promise<Job | undefined> {
  const row = await env.DB.prepare(
    'SELECT id, task, status, attempts, result FROM jobs WHERE id = ? AND owner = ?',
  )
    .bind(id, owner)
    .first<Job>()
  return row ?? undefined
}

/** Consumes the queue: each message is acknowledged, or retried, by itself. */
export async function runJobs(batch: MessageBatch<JobMessage>, env: Env): Promise<void> {
  for (const message of batch.messages) {
    try {
      await runJob(env, message.body.id, message.attempts)
      message.ack()
    } catch (thrown) {
      logEvent('warn', 'job_attempt_failed', { attempt: message.attempts, ...errorFields(thrown) })
      message.retry()
    }
  }
}

async function runJob(env: Env, id: string, attempt: number): Promise<void> {
  const job = await env.DB.prepare('SELECT owner, task, input, status FROM jobs WHERE id = ?')
    .bind(id)
    .first<{ owner: string; task: JobTask; input: string; status: string }>()
  // A queue delivers at least once: what is finished stays as it is.
  if (job === null || job.status !== 'processing') return
  try {
    const result = work[job.task](job.input, attempt)
    await settle(env, id, job.owner, 'done', attempt, result)
  } catch (thrown) {
    const last = attempt >= JOB_ATTEMPTS
    await settle(env, id, job.owner, last ? 'failed' : 'processing', attempt, null)
    if (!last) throw thrown
    logEvent('error', 'job_failed', errorFields(thrown))
  }
}

async function settle(
  env: Env,
  id: string,
  owner: string,
  status: Job['status'],
  attempts: number,
  result: string | null,
): Promise<void> {
  await env.DB.prepare('UPDATE jobs SET status = ?, attempts = ?, result = ? WHERE id = ?')
    .bind(status, attempts, result, id)
    .run()
  await ownerState(env, owner).publish({ kind: 'resource_updated', uri: `job://${id}` })
}
