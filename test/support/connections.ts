/**
 * A connection for each request that a test itself makes. Servers end an idle connection after 5 s, undici
 * lets go of it after 4; on a busy machine a request meets that end, and `fetch failed` says nothing about
 * what is tested.
 */
import { Agent, setGlobalDispatcher } from 'undici'

setGlobalDispatcher(new Agent({ pipelining: 0 }))
