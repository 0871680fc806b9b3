'use strict'
// Makes the process think that it is another user, so that what is there belongs to somebody else.
process.getuid = () => 4_242
