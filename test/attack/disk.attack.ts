import { runGroup } from './group.ts'
import { disk } from './rows/disk.ts'

runGroup(disk)
