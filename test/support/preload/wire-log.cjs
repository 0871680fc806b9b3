'use strict'
// Loaded into a bridge with `node -r`: at its end it prints, in order, what it wrote to sockets.
// Works below undici on purpose, so that it shows what really left the process and when.
const fs = require('node:fs')
const net = require('node:net')

const written = []
const note = (chunk) => {
  for (const [, id] of String(chunk).matchAll(/"(?:id|requestId)":(\d+)[,}]/g))
    written.push(Number(id))
}

const { _write, _writev } = net.Socket.prototype
net.Socket.prototype._write = function (chunk, encoding, callback) {
  if (this.remotePort !== undefined) note(chunk)
  return _write.call(this, chunk, encoding, callback)
}
net.Socket.prototype._writev = function (chunks, callback) {
  if (this.remotePort !== undefined) for (const { chunk } of chunks) note(chunk)
  return _writev.call(this, chunks, callback)
}

process.on('exit', () => {
  fs.writeSync(2, `wire: ${JSON.stringify(written)}\n`)
})
