import type { Env } from './env.ts'

/** What the queue carries; everything else about a job is in its row. */
export interface JobMessage {
  readonly id: string
}

/** Consumes the queue. */
export async function runJobs(batch: MessageBatch<JobMessage>, _env: Env): Promise<void> {
  batch.ackAll()
}
