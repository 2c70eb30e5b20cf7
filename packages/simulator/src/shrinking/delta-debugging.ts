/**
 * The smallest list found for which `stillFails` holds, given that it holds for `items`: Zeller's ddmin. Tries ever
 * smaller pieces, and what is left when a piece is taken away, until no single item can be left out.
 */
export async function smallestFailing<T>(
  items: readonly T[],
  stillFails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  if (items.length === 0 || (await stillFails([]))) return []
  let left = items
  let pieces = 2
  while (left.length >= 2) {
    const found = await smaller(left, pieces, stillFails)
    if (found !== undefined) {
      left = found.items
      pieces = found.wasPiece ? 2 : Math.max(2, pieces - 1)
    } else if (pieces < left.length) pieces = Math.min(left.length, pieces * 2)
    else break
  }
  return left
}

async function smaller<T>(
  items: readonly T[],
  pieces: number,
  stillFails: (items: readonly T[]) => Promise<boolean>,
): Promise<{ readonly items: readonly T[]; readonly wasPiece: boolean } | undefined> {
  const bounds = Array.from({ length: pieces }, (_, place): readonly [number, number] => [
    Math.floor((place * items.length) / pieces),
    Math.floor(((place + 1) * items.length) / pieces),
  ])
  for (const [from, to] of bounds) {
    const piece = items.slice(from, to)
    if (await stillFails(piece)) return { items: piece, wasPiece: true }
  }
  if (pieces === 2) return undefined
  for (const [from, to] of bounds) {
    const rest = [...items.slice(0, from), ...items.slice(to)]
    if (await stillFails(rest)) return { items: rest, wasPiece: false }
  }
  return undefined
}
