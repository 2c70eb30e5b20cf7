/**
 * Limits of the sessions that a node registers. They travel in the registration, so every server applies the same
 * ones whatever its own options say.
 */
export interface SessionLimits {
  /** A session is forgotten when none of its commands was applied for this long: milliseconds. Default 3 600 000. */
  readonly sessionTimeoutMs: number
  /** Sessions kept on every server; a registration beyond it ends the one that was unused longest. Default 1024. */
  readonly maxSessions: number
  /**
   * Commands of one session under way at once, counted from the oldest unanswered one; their responses are kept.
   * Further commands wait. Default 8192, at most 1 048 576.
   */
  readonly maxCachedResponses: number
  /**
   * Bytes of responses kept per session. One that finds no room is not kept: a retry of its command then learns that
   * it took effect, and no more. Default 4 MiB.
   */
  readonly maxCachedResponseBytes: number
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  sessionTimeoutMs: 3_600_000,
  maxSessions: 1024,
  maxCachedResponses: 8192,
  maxCachedResponseBytes: 4 * 1024 * 1024,
}

const uint32 = 2 ** 32 - 1

/** Largest value of each limit. */
const maxima: SessionLimits = {
  sessionTimeoutMs: uint32,
  maxSessions: 2 ** 20,
  maxCachedResponses: 2 ** 20,
  maxCachedResponseBytes: uint32,
}

/** What is wrong with each limit that cannot be used. */
export function* sessionLimitProblems(limits: SessionLimits): Generator<string> {
  for (const name of Object.keys(maxima) as (keyof SessionLimits)[]) {
    const value: unknown = limits[name]
    if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > maxima[name])
      yield `${name} must be a whole number from 1 to ${maxima[name]}, not ${String(value)}`
  }
}
