/** The known word that a typing error may have meant. */
export function nearest(unknown: string, known: readonly string[]): string | undefined {
  const ranked = known.map((word) => ({ word, distance: editDistance(unknown, word) }))
  ranked.sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  if (best === undefined) return undefined
  // Two letters are as near to any other two as can be.
  const allowed = Math.min(Math.max(2, best.word.length / 3), best.word.length - 1)
  return best.distance <= allowed ? best.word : undefined
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
