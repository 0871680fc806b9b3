// @ts-check
/** What a host does with skills (`io.modelcontextprotocol/skills`): it reads none ahead, and trusts none. */
import { createHash } from 'node:crypto'
import { z } from 'zod'

const Skills = z.object({
  skills: z.array(
    z.object({
      uri: z.string(),
      frontmatter: z.record(z.string(), z.string()),
      resources: z.array(z.object({ uri: z.string(), digest: z.string(), size: z.number() })),
    }),
  ),
})

/** @typedef {import('@modelcontextprotocol/client').Client} Client */

/** @param {Client} client */
export async function listSkills(client) {
  return (await client.request({ method: 'skills/list', params: {} }, Skills)).skills
}

/**
 * Reads each skill and then its other files, unless what was read is not what the list has promised.
 *
 * @param {Client} client
 */
export async function loadSkills(client) {
  for (const skill of await listSkills(client)) {
    for (const { uri, digest, size } of skill.resources) {
      const { contents } = await client.readResource({ uri })
      const text = contents.map((content) => ('text' in content ? content.text : '')).join('')
      const sum = createHash('sha256').update(text).digest('hex')
      if (Buffer.byteLength(text) !== size || digest !== `sha256:${sum}`) break
      if (uri === skill.uri && !tells(text, skill.frontmatter)) break
    }
  }
}

/**
 * @param {string} text A SKILL.md with flat YAML at its head.
 * @param {Record<string, string>} frontmatter
 */
function tells(text, frontmatter) {
  const lines = /^---\n([^]*?)\n---/.exec(text)?.[1]?.split('\n') ?? []
  const said = Object.fromEntries(lines.map((line) => line.split(/: (.*)/, 2)))
  return JSON.stringify(said) === JSON.stringify(frontmatter)
}
