// @ts-check
import { echo, pipelined } from './suites/calls.mjs'
import { growth, idle, slowReader } from './suites/memory.mjs'
import { coldCache } from './suites/npx.mjs'
import { pushed } from './suites/pushed.mjs'
import { request, result } from './suites/sizes.mjs'
import { far, near, probe, signedIn } from './suites/starts.mjs'
import { storm } from './suites/storm.mjs'
import { traced } from './suites/traced.mjs'
import { translated } from './suites/translated.mjs'

/** Everything that is measured, in this order. @type {readonly import('./suite.mjs').Suite[]} */
export const SUITES = [
  near,
  signedIn,
  far,
  probe,
  echo('json', 'JSON'),
  echo('sse', 'event stream'),
  echo('legacy', 'HTTP+SSE'),
  pipelined,
  pushed('get', 'GET stream'),
  pushed('post', 'POST stream'),
  pushed('legacy', 'HTTP+SSE'),
  result('json', 'JSON'),
  result('sse', 'event stream'),
  request,
  slowReader,
  idle,
  growth,
  storm,
  translated('legacy'),
  translated('modern'),
  traced('frames', 'messages alone'),
  traced('debug', 'everything'),
  coldCache,
]
