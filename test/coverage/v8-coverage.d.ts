/** `@bcoe/v8-coverage` ships no types. */
declare module '@bcoe/v8-coverage' {
  export interface ProcessCov {
    result: ScriptCov[]
  }
  export interface ScriptCov {
    url: string
    functions: {
      functionName: string
      isBlockCoverage: boolean
      ranges: { startOffset: number; endOffset: number; count: number }[]
    }[]
  }
  export function mergeProcessCovs(processes: readonly ProcessCov[]): ProcessCov
}
