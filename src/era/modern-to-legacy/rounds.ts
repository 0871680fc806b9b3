import type { RawId } from '../../frame.ts'
import { objectAt } from '../claims.ts'
import type { Question } from './questions.ts'

/** The questions of one call that nobody has answered yet, and which of them the host knows. */
export interface Rounds {
  readonly size: number
  add(question: Question): void
  /** Whether a request of the server is among them. */
  has(id: RawId | undefined): boolean
  /** The server no longer wants an answer; false when it is not among them. */
  withdraw(id: RawId | undefined): boolean
  /** Everything that is open, as JSON source by key: the next round. */
  next(): ReadonlyMap<string, Buffer>
  /** The questions of the last round that these responses answer (JSON source, by key); they are over. */
  answered(responses: Buffer): { question: Question; response: Buffer }[]
  /** Takes out what is left. */
  drain(): Question[]
}

/** Nothing has been asked. */
export function createRounds(): Rounds {
  const open = new Map<string, Question>()
  let keys = 0
  /** The keys that the host knows. */
  let asked: readonly string[] = []
  return {
    get size() {
      return open.size
    },
    add: (question) => void open.set(`question-${++keys}`, question),
    has: (id) => [...open.values()].some((question) => question.id === id),
    withdraw(id) {
      const entry = [...open].find(([, question]) => question.id === id)
      return entry !== undefined && open.delete(entry[0])
    },
    next() {
      asked = [...open.keys()]
      return new Map([...open].map(([key, { entry }]) => [key, entry]))
    },
    answered(responses) {
      return asked.flatMap((key) => {
        const question = open.get(key)
        const response = objectAt(responses, key)
        if (question === undefined || response === undefined) return []
        open.delete(key)
        return [{ question, response }]
      })
    },
    drain() {
      const left = [...open.values()]
      open.clear()
      return left
    },
  }
}
