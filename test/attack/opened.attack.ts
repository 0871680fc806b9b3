import { runGroup } from './group.ts'
import { opened } from './rows/opened.ts'

runGroup(opened)
