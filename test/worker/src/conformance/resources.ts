import { ResourceTemplate, type McpServer } from '@modelcontextprotocol/server'
import { PNG } from './samples.ts'

/** The resources and the template that the suite reads and subscribes to. */
export function registerResourceFixtures(server: McpServer): void {
  const texts = {
    'test://static-text': 'This is the content of the static text resource.',
    'test://watched-resource': 'This resource may be watched.',
  }
  for (const [uri, text] of Object.entries(texts)) {
    const config = { description: 'A fixed text.', mimeType: 'text/plain' }
    server.registerResource(uri, uri, config, () => ({
      contents: [{ uri, mimeType: 'text/plain', text }],
    }))
  }
  const binary = 'test://static-binary'
  const config = { description: 'A fixed image.', mimeType: 'image/png' }
  server.registerResource(binary, binary, config, () => ({
    contents: [{ uri: binary, mimeType: 'image/png', blob: PNG }],
  }))
  server.registerResource(
    'test-template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'Data for an id.', mimeType: 'application/json' },
    (uri, { id }) => {
      const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` })
      return { contents: [{ uri: uri.href, mimeType: 'application/json', text }] }
    },
  )
}
