import { runGroup } from './group.ts'
import { callbacks } from './rows/callback.ts'

runGroup(callbacks)
