import { CLIENTS } from './clients.ts'
import { type Outcome, runPair } from './pair.ts'
import { SERVERS, type Square } from './servers.ts'

/** Pairs that run at the same time: two cores, and most of the time each waits for the others. */
const AT_ONCE = 4

/** Every client at every server. */
export const PAIRS = CLIENTS.flatMap(({ client }) =>
  SERVERS.map(({ server }) => ({ client, server })),
)

/** Runs those that are chosen by their name; hears of each pair when it is done. */
export async function runSquare(
  { servers }: Square,
  bin: string,
  isChosen: (name: string) => boolean,
  onDone: (outcomes: readonly Outcome[]) => void,
): Promise<readonly Outcome[]> {
  const all: Outcome[] = []
  const left = PAIRS.filter(({ client, server }) => isChosen(`${client} at ${server}`)).values()
  const work = async (): Promise<void> => {
    for (const { client, server } of left) {
      const outcomes = await runPair(client, server, servers[server], bin)
      onDone(outcomes)
      all.push(...outcomes)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return all
}
