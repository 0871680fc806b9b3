import { addNote } from './add-note.ts'
import { big } from './big.ts'
import { calculator } from './calculator.ts'
import { confirm } from './confirm.ts'
import { crash } from './crash.ts'
import { deleteAllNotes } from './delete-all-notes.ts'
import { getJob } from './get-job.ts'
import { getPreference } from './get-preference.ts'
import { increment } from './increment.ts'
import { int64 } from './int64.ts'
import { log } from './log.ts'
import { progress } from './progress.ts'
import { searchNotes } from './search-notes.ts'
import { secretCheck } from './secret-check.ts'
import { setPreference } from './set-preference.ts'
import { sleep } from './sleep.ts'
import { startJob } from './start-job.ts'
import type { Tool } from './tool.ts'
import { whoami } from './whoami.ts'

/** Every tool of the server, in the order in which clients list them. */
export const tools: readonly Tool[] = [
  calculator,
  whoami,
  secretCheck,
  setPreference,
  getPreference,
  increment,
  addNote,
  searchNotes,
  deleteAllNotes,
  startJob,
  getJob,
  progress,
  confirm,
  sleep,
  log,
  big,
  int64,
  crash,
]
