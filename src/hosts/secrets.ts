/** What the names of headers and parameters that hold secrets have in them. */
const SECRET = /auth|cookie|token|secret|passw|key|credential|signature|session/i

/** Whether a name is one of something that must not be seen. */
export function soundsSecret(name: string): boolean {
  return SECRET.test(name)
}

/** The parameters of an address that look like secrets. */
export function secretParameters(address: string): string[] {
  if (!URL.canParse(address)) return []
  return [...new URL(address).searchParams.keys()].filter(soundsSecret)
}

/** What is shorter is no secret, and is found in every text. */
const SHORTEST = 4

/** `"API_KEY": "…"`, `X-Api-Key: …`, `token = "…"`: a name that sounds secret, and what follows it. */
const NAMED_VALUE =
  /([\w-]*(?:auth|cookie|token|secret|passw|key|credential|signature|session)[\w-]*["']?\s*[:=]\s*["']?)[^\s"'${}[\],][^"']*/gi

const SCHEME_VALUE = /\b(Bearer|Basic)\s+[^\s"'${}]+/gi

/**
 * A line of a configuration as it may be shown: without these secrets, also as JSON and TOML write
 * them, and without what looks like one: the neighbours of an entry are shown with it.
 */
export function masked(line: string, secrets: readonly string[] = []): string {
  const spellings = secrets.flatMap((secret) =>
    secret.length < SHORTEST ? [] : [secret, JSON.stringify(secret).slice(1, -1)],
  )
  const shown = spellings.reduce((rest, secret) => rest.replaceAll(secret, '…'), line)
  return shown.replaceAll(SCHEME_VALUE, '$1 …').replaceAll(NAMED_VALUE, '$1…')
}
