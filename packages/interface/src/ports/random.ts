/** Source of randomness for election timeouts. Not for secrets. */
export interface Random {
  /** A uniform number in [0, 1). */
  next(): number
}
