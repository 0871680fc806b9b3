import { BridgeError } from '../errors.ts'
import { isLoopback } from '../hostnames.ts'

/** Where the browser goes in the end: nothing that could carry a secret, or run. */
export function successUrlOf(value: string | undefined, allowHttp: boolean): string | undefined {
  if (value === undefined) return undefined
  const url = URL.canParse(value) ? new URL(value) : undefined
  const plain = url?.protocol === 'http:' && (allowHttp || isLoopback(url.hostname))
  const usable = url?.protocol === 'https:' || plain
  if (usable && url?.username === '' && url.password === '' && !/[?#]/.test(value)) return url.href
  throw new BridgeError('usage', `--auth-success-url is no plain https URL: ${value}`)
}

/** The token endpoint of a program, which is sent its secret. */
export function tokenEndpointOf(
  value: string | undefined,
  forProgram: boolean,
): string | undefined {
  if (value === undefined) return undefined
  if (!forProgram) {
    throw new BridgeError('usage', '--token-endpoint belongs to --client-credentials.')
  }
  const url = URL.canParse(value) ? new URL(value) : undefined
  const local = url?.protocol === 'http:' && isLoopback(url.hostname)
  const usable = url?.protocol === 'https:' || local
  if (usable && url?.username === '' && url.password === '' && url.hash === '') return value
  throw new BridgeError('usage', `--token-endpoint is no https URL: ${value}`)
}
