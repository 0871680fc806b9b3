import { runGroup } from './group.ts'
import { redirected } from './rows/redirects.ts'

runGroup(redirected)
