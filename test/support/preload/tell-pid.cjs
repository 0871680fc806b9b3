'use strict'
// Tells a test which process runs the bridge, behind whatever wrapper it was started.
const { writeFileSync } = require('node:fs')
const { basename, join } = require('node:path')

const script = basename(process.argv[1] ?? '')
if (/^bridge(\.cjs)?$/.test(script)) {
  writeFileSync(join(process.env.PID_FOLDER, 'bridge.pid'), String(process.pid))
}
