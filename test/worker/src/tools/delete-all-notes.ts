import { z } from 'zod'
import { ADMIN_SCOPE } from '../scopes.ts'
import { answer, defineTool } from './tool.ts'

/** Deletes everybody's notes: the tool that only an administrator may call. */
export const deleteAllNotes = defineTool({
  name: 'delete_all_notes',
  title: 'Delete all notes',
  description: 'Deletes the notes of all users. Needs the scope notes:admin.',
  input: z.strictObject({}),
  output: z.object({ deleted: z.int() }),
  annotations: { destructiveHint: true, idempotentHint: true, openWorldHint: false },
  scopes: [ADMIN_SCOPE],
  async run(_args, { env }) {
    const { meta } = await env.DB.prepare('DELETE FROM notes').run()
    return answer({ deleted: meta.changes })
  },
})
