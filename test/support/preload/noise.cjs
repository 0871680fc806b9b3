'use strict'
// What a careless dependency does: it keeps the console and stdout from before the bridge started,
// and writes to them while the bridge works.
const { log } = console
const before = console
const { stdout } = process
const { write } = stdout

if (process.env.NOISE_AT_ONCE === '1') stdout.write('') // makes the old console remember its stream

setInterval(() => {
  console.log('noise: console.log')
  console.info('noise: console.info')
  console.table([{ noise: true }])
  console.error('noise: console.error')
  log('noise: kept log')
  before.log('noise: kept console')
  process.stdout.write('noise: process.stdout\n')
  stdout.write('noise: kept stdout\n')
  write.call(process.stdout, 'noise: kept write\n')
}, 1).unref()
