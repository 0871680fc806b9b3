'use strict'
// Loaded into a bridge with `node -r`: files are appended to only once the file that DISK_GATE
// names is there: a disk that hangs.
const fs = require('node:fs')

const gate = process.env.DISK_GATE
const opened = fs.promises.open
fs.promises.open = async (...args) => {
  const file = await opened(...args)
  const append = file.appendFile.bind(file)
  file.appendFile = async (...data) => {
    while (!fs.existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 5))
    return append(...data)
  }
  return file
}
