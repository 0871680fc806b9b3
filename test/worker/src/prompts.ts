import { completable, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { tools } from './tools/all.ts'

const LANGUAGES = ['English', 'Français', 'Deutsch', 'Español', '日本語'] as const

const startingWith = (names: readonly string[], typed: string) =>
  names.filter((name) => name.toLowerCase().startsWith(typed.toLowerCase()))

/** Puts the prompt on a server. */
export function registerPrompts(server: McpServer): void {
  const names = tools.map(({ name }) => name)
  server.registerPrompt(
    'explain_tool',
    {
      title: 'Explain a tool',
      description: 'Asks the model to explain one of this server’s tools.',
      argsSchema: z.object({
        tool: completable(z.string().describe('Name of the tool'), (typed) =>
          startingWith(names, typed),
        ),
        language: completable(
          z.string().default('English').describe('Language of the answer'),
          (typed) => startingWith(LANGUAGES, typed ?? ''),
        ),
      }),
    },
    ({ tool, language }) => {
      const known = tools.find(({ name }) => name === tool)
      const facts = known === undefined ? 'This server has no such tool.' : known.description
      const text = `Explain the tool ${tool} in ${language}, with one example. ${facts}`
      return { messages: [{ role: 'user', content: { type: 'text', text } }] }
    },
  )
}
