/** A timer that can be called off. Cancelling twice, or after it fired, does nothing. */
export interface TimerHandle {
  cancel(): void
}

/** Time. Decisions use only {@link Clock.now}; the wall clock only labels things for people. */
export interface Clock {
  /** Monotonic time in milliseconds (fractions allowed) from an arbitrary origin. */
  now(): number
  /** Milliseconds since the Unix epoch, may jump either way. */
  wallTime(): number
  /** Calls `callback` once, not before `delayMs` milliseconds have passed. */
  setTimer(delayMs: number, callback: () => void): TimerHandle
  /**
   * Calls `callback` once, after input that is already waiting (sockets, files) has been delivered: the end of
   * the current turn of the event loop. `setImmediate` in Node.
   */
  afterInput(callback: () => void): void
}
