#!/usr/bin/env node
'use strict'
// Plain ES5: a host may start this under any Node, and an old one must be able to read it.
var needed = [20, 18, 1]
var found = process.versions.node.split('.').map(Number)

function tooOld() {
  for (var i = 0; i < needed.length; i++) {
    if (found[i] !== needed[i]) return found[i] < needed[i]
  }
  return false
}

function explanation() {
  return [
    'bridge: needs Node ' + needed.join('.') + ' or newer, but was started with Node ',
    process.versions.node + ' (' + process.execPath + ').\n',
    '  Install a newer Node from https://nodejs.org, or put the full path of a newer one in ',
    'your host\'s configuration as "command".\n',
  ].join('')
}

if (tooOld()) {
  process.stderr.write(explanation())
  process.exitCode = 1
} else {
  require('../dist/boot.cjs')
}
