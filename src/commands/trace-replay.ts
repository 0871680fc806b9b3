import type { RunCommand } from './table.ts'
export const runReplay: RunCommand = () => Promise.resolve(0)
