import { authority, client, pkce, registration, resource } from './authorization.ts'
import type { Check } from './check.ts'
import { endpoint, transport } from './endpoint.ts'
import { hosts } from './hosts.ts'
import { nodeInPath, runtime } from './runtime.ts'
import { signIn, token } from './sign-in.ts'
import { folders, keychain, records } from './storage.ts'
import { browser, callbackPort, environment } from './surroundings.ts'
import { address, certificate, clock, connection, dns } from './way.ts'

/** Everything that is looked at; what a check needs stands before it. */
export const CHECKS: readonly Check[] = [
  runtime,
  nodeInPath,
  folders,
  records,
  keychain,
  browser,
  callbackPort,
  environment,
  hosts,
  address,
  dns,
  connection,
  certificate,
  endpoint,
  clock,
  transport,
  resource,
  authority,
  pkce,
  registration,
  client,
  signIn,
  token,
]
