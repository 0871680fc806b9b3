import { z } from 'zod'
import { idempotencyKey, safeText } from '../text.ts'
import { answer, defineTool } from './tool.ts'

/** Saves a note; the same idempotency key never saves a second one. */
export const addNote = defineTool({
  name: 'add_note',
  title: 'Add a note',
  description: 'Saves a note for you.',
  input: z.strictObject({ text: safeText(2000), idempotency_key: idempotencyKey() }),
  output: z.object({
    id: z.uuid(),
    replayed: z.boolean().describe('Whether an earlier call with the same key saved it'),
  }),
  annotations: { destructiveHint: false, openWorldHint: false },
  async run({ text, idempotency_key: key = null }, { env, caller }) {
    const inserted = await env.DB.prepare(
      `INSERT INTO notes (id, owner, text, created_at, idempotency_key) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (owner, idempotency_key) DO NOTHING RETURNING id`,
    )
      .bind(crypto.randomUUID(), caller.owner, text, new Date().toISOString(), key)
      .first<string>('id')
    if (inserted !== null) return answer({ id: inserted, replayed: false })
    const earlier = await env.DB.prepare(
      'SELECT id FROM notes WHERE owner = ? AND idempotency_key = ?',
    )
      .bind(caller.owner, key)
      .first<string>('id')
    return answer({ id: earlier, replayed: true })
  },
})
