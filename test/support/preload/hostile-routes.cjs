'use strict'
// An internet for one process: names mean the addresses that the test gives them, and every address
// is routed to this machine, to the same port. What a guard lets through arrives, whatever the
// address was; where the process wanted to go is written down.
const { appendFileSync } = require('node:fs')
const dns = require('node:dns')
const { isIP } = require('node:net')
const { basename } = require('node:path')

// What starts the program, and looks for it at a registry, does not live in that internet.
if (basename(process.argv[1] ?? '').startsWith('np')) return

const names = JSON.parse(process.env.ROUTES_NAMES)
const NOT_FOUND = { code: 'ENOTFOUND', syscall: 'getaddrinfo' }
const { TCP } = process.binding('tcp_wrap')
const { connect, connect6 } = TCP.prototype

dns.lookup = (hostname, options, callback = options) => {
  const address = isIP(hostname) === 0 ? names[hostname] : hostname
  if (address === undefined) {
    process.nextTick(callback, Object.assign(new Error('unknown name'), NOT_FOUND))
    return
  }
  const family = isIP(address)
  if (options.all === true) process.nextTick(callback, null, [{ address, family }])
  else process.nextTick(callback, null, address, family)
}

TCP.prototype.connect = function (request, address, port) {
  return route(this, request, address, port, connect)
}

TCP.prototype.connect6 = function (request, address, port) {
  return route(this, request, address, port, connect6)
}

function route(handle, request, address, port, original) {
  // Written at once: a process that is killed has still been there.
  appendFileSync(process.env.ROUTES_LOG, `${address} ${port}\n`)
  const target = original === connect6 ? '::ffff:127.0.0.1' : '127.0.0.1'
  return original.call(handle, request, target, port)
}
