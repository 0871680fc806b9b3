// Makes a process believe that it writes to a terminal.
for (const stream of [process.stdout, process.stderr]) stream.isTTY = true
