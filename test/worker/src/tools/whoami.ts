import { z } from 'zod'
import { rolesOf } from '../caller.ts'
import { answer, defineTool } from './tool.ts'

/** Says as whom the server sees the caller. */
export const whoami = defineTool({
  name: 'whoami',
  title: 'Who am I',
  description: 'Tells which owner, roles and scopes this server sees in your requests.',
  input: z.strictObject({}),
  output: z.object({
    owner: z.string(),
    login: z.string().optional(),
    roles: z.array(z.string()),
    scopes: z.array(z.string()),
    era: z.enum(['legacy', 'modern']),
    session: z.boolean().describe('Whether this call belongs to a session'),
  }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  run(_args, { caller, era, sessionId }) {
    const login = caller.authInfo?.extra?.['login']
    return answer({
      owner: caller.owner,
      ...(typeof login === 'string' ? { login } : {}),
      roles: [...rolesOf(caller)],
      scopes: [...(caller.authInfo?.scopes ?? [])],
      era,
      session: sessionId !== undefined,
    })
  },
})
