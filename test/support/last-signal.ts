/**
 * What ends a process that a test has left behind. While coverage is measured the program is given
 * the time to write down what ran of it (test/coverage/recorder.cjs).
 */
export const LAST_SIGNAL: NodeJS.Signals =
  process.env['BRIDGE_COVERAGE'] === undefined ? 'SIGKILL' : 'SIGXCPU'
