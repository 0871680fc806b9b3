'use strict'
// A host of its own process: starts the command line that it is given, lets a sibling hold the
// command's stdin open, sends one `initialize`, and says on stdout when the answer is there.
const { spawn } = require('node:child_process')

const [command, ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
// Node marks its end of the pipe close-on-exec; handed over by number it is inherited all the same.
// oxlint-disable-next-line no-underscore-dangle -- Node has no public name for the number.
const { fd } = child.stdin._handle
const sibling = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
child.stdin.write(
  '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}\n',
)
child.stdout.once('data', () => {
  process.stdout.write(`${JSON.stringify({ sibling: sibling.pid })}\n`)
})
