'use strict'
// Says on stderr that the bridge listens for signals: from there on it decides itself how to end.
process.on('newListener', (name) => {
  if (name === 'SIGHUP') setImmediate(() => process.stderr.write('ready\n'))
})
