import { runGroup } from './group.ts'
import { discovery } from './rows/discovery.ts'

runGroup(discovery)
