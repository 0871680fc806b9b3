'use strict'
// Writes down every program that the process starts, before it starts: with which arguments, whether
// through a shell, and which of our files asked for it.
const { appendFileSync } = require('node:fs')
const { basename } = require('node:path')
const childProcess = require('node:child_process')

const { spawn } = childProcess

childProcess.spawn = (command, args, options) => {
  const files = new Error().stack.matchAll(/([\w-]+)-\w{8}\.cjs/g)
  const entry = {
    file: basename(command),
    args,
    shell: options?.shell ?? false,
    by: [...files].map((match) => match[1])[0],
  }
  appendFileSync(process.env.SPAWNS_LOG, `${JSON.stringify(entry)}\n`)
  return spawn(command, args, options)
}
