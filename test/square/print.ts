import type { Outcome } from './pair.ts'
import { runSquare } from './run.ts'
import { startSquare } from './servers.ts'

/** Runs the square and prints one line per start; true when all went as planned. */
export async function printSquare({
  bin,
  startWorker,
  only,
}: {
  readonly bin: string
  readonly startWorker: Parameters<typeof startSquare>[0]
  /** Takes only pairs whose name holds this text. */
  readonly only: string
}): Promise<boolean> {
  const square = await startSquare(startWorker)
  try {
    const isChosen = (name: string): boolean => name.includes(only)
    const outcomes = await runSquare(square, bin, isChosen, (starts) => {
      for (const outcome of starts) console.log(lines(outcome).join('\n'))
    })
    const green = outcomes.filter(({ problems }) => problems.length === 0)
    console.log(`${green.length} of ${outcomes.length} starts went as planned`)
    return outcomes.length > 0 && green.length === outcomes.length
  } finally {
    await square.stop()
  }
}

function lines({ client, server, start, args, way, ...rest }: Outcome): string[] {
  const { passed, lost, opening, problems } = rest
  const names = [`${client} at ${server}`, start, [way, ...args].join(' ')]
  const features = `${passed.length} of ${passed.length + lost.length} features`
  const without = lost.length === 0 ? '' : ` (not: ${lost.join(', ')})`
  const line = [...names, features + without, `${opening.length}: ${opening.join(', ')}`].join(
    ' | ',
  )
  return [
    `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${line}`,
    ...problems.map((why) => `       ${why}`),
  ]
}
