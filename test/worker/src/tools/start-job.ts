import { z } from 'zod'
import { JOB_TASKS, startJob as start } from '../jobs.ts'
import { idempotencyKey, safeText } from '../text.ts'
import { answer, defineTool } from './tool.ts'

/** Puts work on the queue and answers at once. */
export const startJob = defineTool({
  name: 'start_job',
  title: 'Start a job',
  description:
    'Starts work that goes on after this call. Poll get_job, or subscribe to job://{id}. ' +
    'count_words counts; flaky fails once and succeeds when retried; hopeless always fails.',
  input: z.strictObject({
    task: z.enum(JOB_TASKS),
    input: safeText(10_000),
    idempotency_key: idempotencyKey(),
  }),
  output: z.object({ id: z.uuid(), status: z.string(), replayed: z.boolean() }),
  annotations: { destructiveHint: false, openWorldHint: false },
  async run({ task, input, idempotency_key: key }, { env, caller }) {
    return answer({ ...(await start(env, caller.owner, task, input, key)) })
  },
})
