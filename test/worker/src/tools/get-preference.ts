import { z } from 'zod'
import { preferenceKey } from '../preference-key.ts'
import { safeName } from '../text.ts'
import { answer, defineTool, refuse } from './tool.ts'

/** Reads a remembered value. */
export const getPreference = defineTool({
  name: 'get_preference',
  title: 'Get a preference',
  description: 'Returns the value that set_preference remembered. KV may lag by up to a minute.',
  input: z.strictObject({ name: safeName() }),
  output: z.object({ name: z.string(), value: z.string() }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  async run({ name }, { env, caller }) {
    const value = await env.PREFS.get(preferenceKey(caller.owner, name))
    return value === null ? refuse(`No preference is called ${name}.`) : answer({ name, value })
  },
})
