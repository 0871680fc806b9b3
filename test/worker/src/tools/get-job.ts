import { z } from 'zod'
import { findJob } from '../jobs.ts'
import { answer, defineTool, refuse } from './tool.ts'

/** How far a job is. */
export const getJob = defineTool({
  name: 'get_job',
  title: 'Get a job',
  description: 'Returns the status of a job, and its result when it is done.',
  input: z.strictObject({ id: z.uuid() }),
  output: z.object({
    id: z.uuid(),
    task: z.string(),
    status: z.enum(['processing', 'done', 'failed']),
    attempts: z.int(),
    result: z.string().nullable(),
  }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  async run({ id }, { env, caller }) {
    const job = await findJob(env, caller.owner, id)
    return job === undefined ? refuse(`There is no job ${id}.`) : answer({ ...job })
  },
})
