import { rm } from 'node:fs/promises'
import type { TestProject } from 'vitest/node'
import { packAndInstall } from './packed.mjs'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The installed `bin/bridge.cjs` of the packed tarball. */
    bin: string
    /** The packed tarball. */
    tarball: string
  }
}

/** Gives the e2e tests the program that users get. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { folder, tarball, bin } = await packAndInstall()
  project.provide('bin', bin)
  project.provide('tarball', tarball)
  return () => rm(folder, { recursive: true, maxRetries: 10 })
}
