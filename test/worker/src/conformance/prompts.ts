import { completable, type GetPromptResult, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { PNG } from './samples.ts'

type Content = GetPromptResult['messages'][number]['content']

const asUser = (...contents: readonly Content[]): GetPromptResult => ({
  messages: contents.map((content) => ({ role: 'user', content })),
})

const text = (words: string): Content => ({ type: 'text', text: words })

/** The prompts that the suite gets by name. */
export function registerPromptFixtures(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'A fixed prompt.' }, () =>
    asUser(text('This is a simple prompt for testing.')),
  )
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'A prompt of two arguments.',
      argsSchema: z.object({
        arg1: completable(z.string().describe('First test argument'), () => []),
        arg2: z.string().describe('Second test argument'),
      }),
    },
    ({ arg1, arg2 }) => asUser(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    {
      description: 'A prompt with an embedded resource.',
      argsSchema: z.object({ resourceUri: z.string().describe('URI of the resource to embed') }),
    },
    ({ resourceUri }) => {
      const embedded = 'Embedded resource content for testing.'
      const resource = { uri: resourceUri, mimeType: 'text/plain', text: embedded }
      return asUser(
        { type: 'resource', resource },
        text('Please process the embedded resource above.'),
      )
    },
  )
  server.registerPrompt('test_prompt_with_image', { description: 'A prompt with an image.' }, () =>
    asUser(
      { type: 'image', data: PNG, mimeType: 'image/png' },
      text('Please analyze the image above.'),
    ),
  )
}
