import { readFile } from 'node:fs/promises'
import { type CommandWorld, runForToken } from './command.ts'
import type { TokenSource } from './enterprise-options.ts'
import { AuthFailure } from './failure.ts'
import { printedToken } from './printed-token.ts'

/**
 * The token that a platform or a provider has put somewhere for us, as it is now: they replace theirs
 * every few minutes. Throws `AuthFailure`.
 */
export async function readToken(source: TokenSource, world: CommandWorld): Promise<string> {
  switch (source.kind) {
    case 'command':
      return (await runForToken(source.words, source.option, world)).token
    case 'variable':
      return inside(world.env[source.name], source.name, world)
    case 'file': {
      const { path } = source
      const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        throw new AuthFailure('refused', `Cannot read the token in ${path} (${error.code}).`)
      })
      return inside(content, path, world)
    }
  }
}

function inside(content: string | undefined, place: string, { now }: CommandWorld): string {
  const found = content === undefined ? undefined : printedToken(content, now())
  if (found !== undefined) return found.token
  throw new AuthFailure('refused', `There is no token in ${place}.`)
}
