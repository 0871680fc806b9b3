'use strict'
// Loaded into a bridge with `node -r`: everything that it writes to sockets also goes to the file
// that WIRE_FILE names, so that a test knows which secrets have crossed the wire.
const fs = require('node:fs')
const net = require('node:net')

const CHUNKS = {
  _write: (chunk) => [chunk],
  _writev: (writes) => writes.map(({ chunk }) => chunk),
}

for (const [name, chunksOf] of Object.entries(CHUNKS)) {
  const write = net.Socket.prototype[name]
  net.Socket.prototype[name] = function (data, ...rest) {
    // A pipe has no remote port.
    if (this.remotePort !== undefined) {
      for (const chunk of chunksOf(data)) fs.appendFileSync(process.env.WIRE_FILE, String(chunk))
    }
    return write.call(this, data, ...rest)
  }
}
