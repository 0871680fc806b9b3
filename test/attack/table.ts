import type { Group } from './attack.ts'
import { callbacks } from './rows/callback.ts'
import { discovery } from './rows/discovery.ts'
import { disk } from './rows/disk.ts'
import { http } from './rows/http.ts'
import { messages } from './rows/messages.ts'
import { opened } from './rows/opened.ts'
import { pages } from './rows/pages.ts'
import { redirected } from './rows/redirects.ts'
import { shown } from './rows/shown.ts'
import { authorized } from './rows/tokens.ts'

/** Everything that is tried; a file `<name>.attack.ts` runs each group. */
export const GROUPS: readonly Group[] = [
  messages,
  http,
  redirected,
  discovery,
  opened,
  callbacks,
  pages,
  authorized,
  shown,
  disk,
]
