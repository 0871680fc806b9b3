import { runGroup } from './group.ts'
import { shown } from './rows/shown.ts'

runGroup(shown)
