/** Milliseconds over which the busy part is taken. */
const WINDOW_MS = 1000

/**
 * Which part of the time somebody is at work: over the last window of at least a second, from 0 to 1 with two decimals.
 * Begins and ends that do not follow each other lose the time between them, and nothing else.
 */
export class Saturation {
  #isWorking = false
  /** When the present state was last looked at. */
  #since: number
  #windowStart: number
  #busyMs = 0
  /** Of this time nobody knows what it was. */
  #lostMs = 0
  #last = 0

  constructor(now: number) {
    this.#since = now
    this.#windowStart = now
  }

  /** Work begins. */
  begin(now: number): void {
    this.#pass(now, this.#isWorking)
    this.#isWorking = true
    this.#report(now)
  }

  /** Work ends. */
  end(now: number): void {
    this.#pass(now, !this.#isWorking)
    this.#isWorking = false
    this.#report(now)
  }

  /** The busy part of the last window. */
  read(now: number): number {
    this.#pass(now, false)
    this.#report(now)
    return this.#last
  }

  #pass(now: number, isLost: boolean): void {
    const passed = now - this.#since
    this.#since = now
    if (isLost) this.#lostMs += passed
    else if (this.#isWorking) this.#busyMs += passed
  }

  #report(now: number): void {
    if (now - this.#windowStart < WINDOW_MS) return
    const knownMs = now - this.#windowStart - this.#lostMs
    this.#last = knownMs > 0 ? Math.round((this.#busyMs / knownMs) * 100) / 100 : 0
    this.#windowStart = now
    this.#busyMs = 0
    this.#lostMs = 0
  }
}
