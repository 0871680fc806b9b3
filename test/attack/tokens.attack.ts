import { runGroup } from './group.ts'
import { authorized } from './rows/tokens.ts'

runGroup(authorized)
