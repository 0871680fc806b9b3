/** undici's dispatcher alone: the package's main entry also loads fetch and costs 115 ms at start. */
declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici'
}
