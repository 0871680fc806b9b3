import { fromJsonSchema, type CallToolResult, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { PNG, said, WAV } from './samples.ts'

type Content = CallToolResult['content'][number]

const image: Content = { type: 'image', data: PNG, mimeType: 'image/png' }

const resource = (uri: string, mimeType: string, text: string): Content => ({
  type: 'resource',
  resource: { uri, mimeType, text },
})

/** Tools that answer at once with a fixed content, by name. */
const fixed: Readonly<Record<string, readonly [description: string, result: CallToolResult]>> = {
  test_simple_text: ['Returns one text.', said('This is a simple text response for testing.')],
  test_image_content: ['Returns an image.', { content: [image] }],
  test_audio_content: [
    'Returns a sound.',
    { content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] },
  ],
  test_embedded_resource: [
    'Returns an embedded resource.',
    {
      content: [
        resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'),
      ],
    },
  ],
  test_multiple_content_types: [
    'Returns text, image and resource.',
    {
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        image,
        resource(
          'test://mixed-content-resource',
          'application/json',
          '{"test":"data","value":123}',
        ),
      ],
    },
  ],
  test_error_handling: [
    'Returns an error result.',
    { ...said('This tool intentionally returns an error for testing'), isError: true },
  ],
}

/** Every keyword that a server must list unchanged. */
const schema2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a JSON Schema keyword
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
}

/** Tools about content and about schemas. */
export function registerContentTools(server: McpServer): void {
  for (const [name, [description, result]] of Object.entries(fixed)) {
    server.registerTool(name, { description }, () => result)
  }
  server.registerTool(
    'json_schema_2020_12_tool',
    {
      description: 'Tool with JSON Schema 2020-12 features',
      inputSchema: fromJsonSchema<Record<string, unknown>>(schema2020),
    },
    (args) => said(JSON.stringify(args)),
  )
  server.registerTool(
    'test_x_mcp_header',
    {
      description:
        'Takes an argument that modern clients also send as the header Mcp-Param-Region.',
      inputSchema: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }),
    },
    ({ region }) => said(region),
  )
}
