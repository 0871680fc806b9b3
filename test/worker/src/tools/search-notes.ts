import { z } from 'zod'
import { safeText } from '../text.ts'
import { answer, defineTool } from './tool.ts'

const Note = z.object({ id: z.uuid(), text: z.string(), created_at: z.iso.datetime() })

/** Finds the caller's own notes. */
export const searchNotes = defineTool({
  name: 'search_notes',
  title: 'Search notes',
  description: 'Finds your notes that contain a text; without one, the newest.',
  input: z.strictObject({
    query: safeText(200).optional(),
    limit: z.int().min(1).max(100).default(20),
  }),
  output: z.object({ notes: z.array(Note) }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  async run({ query = '', limit }, { env, caller }) {
    // The person's % and _ are characters to find, not wildcards.
    const pattern = `%${query.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
    const { results } = await env.DB.prepare(
      String.raw`SELECT id, text, created_at FROM notes WHERE owner = ? AND text LIKE ? ESCAPE '\'
       ORDER BY created_at DESC, rowid DESC LIMIT ?`,
    )
      .bind(caller.owner, pattern, limit)
      .all<z.output<typeof Note>>()
    return answer({ notes: results })
  },
})
