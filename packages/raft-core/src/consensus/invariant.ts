/**
 * Stops the server when a sentence that must always be true is not: `Consensus.step` turns the thrown error into a
 * `fatal` effect. Never for bytes of a peer that may simply be wrong; those are answered with an error.
 */
export function invariant(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(sentence)
}

/** The invariant `lower <= upper`, for the hot path: no sentence is made while it holds. */
export function checkOrder(lower: number, upper: number, names: string): void {
  if (!(lower <= upper)) throw new Error(`out of order (${names}): ${lower} is above ${upper}`)
}
