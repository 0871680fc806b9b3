import { runGroup } from './group.ts'
import { closeBrowser, pages } from './rows/pages.ts'

runGroup(pages)
closeBrowser()
