// @ts-check
'use strict'
const { randomBytes } = require('node:crypto')
const { writeFileSync } = require('node:fs')
const { Session } = require('node:inspector')
const { join } = require('node:path')

/**
 * Counts what runs of the program in this process, and writes it down at its end. Node's own
 * NODE_V8_COVERAGE would have to be put into the environment of every process that a test starts, and
 * says nothing of those that the tests kill.
 *
 * @param {string} folder where the counts go
 * @param {string} program the folder of the program's files
 */
exports.record = (folder, program) => {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const write = () => {
    session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error) throw error
      const scripts = result.filter(({ url }) => url.startsWith(`file://${program}/`))
      const file = `${process.pid}-${randomBytes(4).toString('hex')}.json`
      writeFileSync(join(folder, file), JSON.stringify({ result: scripts }))
    })
  }
  process.on('exit', write)
  // In the place of SIGKILL: see LAST_SIGNAL in test/support/last-signal.ts.
  process.on('SIGXCPU', () => {
    write()
    process.kill(process.pid, 'SIGKILL')
  })
}
