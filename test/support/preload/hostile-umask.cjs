'use strict'
// The worst umask there is: whatever is made with a default mode is open to everybody.
process.umask(0)
