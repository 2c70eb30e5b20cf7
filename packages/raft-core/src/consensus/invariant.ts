/**
 * Stops the server when a sentence that must always be true is not: `Consensus.step` turns the thrown error into a
 * `fatal` effect. Never for bytes of a peer that may simply be wrong; those are answered with an error.
 */
export function invariant(condition: boolean, sentence: string): asserts condition {
  if (!condition) violated(sentence)
}

/** The same where every microsecond counts: `if (!condition) violated(sentence)` makes no sentence while it holds. */
export function violated(sentence: string): never {
  throw new Error(sentence)
}

/** The invariant `lower <= upper`. */
export function checkOrder(lower: number, upper: number, names: string): void {
  if (!(lower <= upper)) violated(`out of order (${names}): ${lower} is above ${upper}`)
}
