/** undici's dispatcher alone: the package's main entry also loads fetch and costs 115 ms at start. */
declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici'
}

/** One connection of it. */
declare module 'undici/lib/dispatcher/client.js' {
  export { Client as default } from 'undici'
}

/** What the dispatcher itself makes its connections with. */
declare module 'undici/lib/core/connect.js' {
  import type { Socket } from 'node:net'
  import type { buildConnector } from 'undici'

  export default function connector(
    options: buildConnector.BuildOptions,
  ): (target: buildConnector.Options, callback: buildConnector.Callback) => Socket
}
