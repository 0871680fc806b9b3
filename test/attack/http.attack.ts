import { runGroup } from './group.ts'
import { http } from './rows/http.ts'

runGroup(http)
