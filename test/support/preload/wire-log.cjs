'use strict'
// Loaded into a bridge with `node -r`: at its end it prints, in order, what it wrote to sockets.
// Works below undici on purpose, so that it shows what really left the process and when.
const fs = require('node:fs')
const net = require('node:net')

const written = []
const CHUNKS = {
  _write: (chunk) => [chunk],
  _writev: (writes) => writes.map(({ chunk }) => chunk),
}

for (const [name, chunksOf] of Object.entries(CHUNKS)) {
  const write = net.Socket.prototype[name]
  net.Socket.prototype[name] = function (data, ...rest) {
    // A pipe has no remote port: only what goes to the server counts.
    if (this.remotePort !== undefined) for (const chunk of chunksOf(data)) note(String(chunk))
    return write.call(this, data, ...rest)
  }
}

function note(text) {
  for (const [, id] of text.matchAll(/"id":(\d+)[,}]/g)) written.push(Number(id))
}

process.on('exit', () => {
  fs.writeSync(2, `wire: ${JSON.stringify(written)}\n`)
})
