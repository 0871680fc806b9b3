'use strict'
// Windows starts its browser by a full path, where no other program can stand: what would be shown is
// added to a file here, inside the bridge, and a process that does nothing is started.
const { appendFileSync } = require('node:fs')
const childProcess = require('node:child_process')

const { spawn } = childProcess

childProcess.spawn = (command, args, options) => {
  if (!/\brundll32\.exe$/i.test(command)) return spawn(command, args, options)
  const { BROWSER_LOG } = process.env
  if (BROWSER_LOG !== undefined) appendFileSync(BROWSER_LOG, `${args.at(-1)}\u001f\u001e`)
  return spawn(process.execPath, ['-e', '0'], options)
}
