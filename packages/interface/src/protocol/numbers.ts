/**
 * Position of an entry in the log. The first entry has index 1; 0 means "none".
 * A safe integer: bytes that carry a larger value are refused when they are decoded.
 */
export type Index = number

/** Election epoch (Raft §5.1). Starts at 0 (before any election) and never goes back. A safe integer. */
export type Term = number

/** True for an index or term that raftkit accepts: an integer from 0 to 2^53 - 1. */
export function isSafeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
