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

/** A text without these secrets in it, also as JSON and TOML write them. */
export function masked(text: string, secrets: readonly string[]): string {
  const spellings = secrets.flatMap((secret) =>
    secret.length < SHORTEST ? [] : [secret, JSON.stringify(secret).slice(1, -1)],
  )
  return spellings.reduce((shown, secret) => shown.replaceAll(secret, '…'), text)
}
