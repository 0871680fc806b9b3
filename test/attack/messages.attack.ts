import { runGroup } from './group.ts'
import { messages } from './rows/messages.ts'

runGroup(messages)
