import type { Clock, Random, TimerHandle } from '@raftkit/interface'

interface Timer {
  readonly due: number
  readonly callback: () => void
}

/** Time that passes only when a test says so. */
export class VirtualClock implements Clock {
  #now = 1000
  #timers: Timer[] = []
  #afterInput: (() => void)[] = []

  /** Timers that wait: none must be left when everything is closed. */
  get timers(): number {
    return this.#timers.length
  }

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return this.#now
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const timer = { due: this.#now + Math.max(0, delayMs), callback }
    this.#timers.push(timer)
    return { cancel: () => void (this.#timers = this.#timers.filter((each) => each !== timer)) }
  }

  afterInput(callback: () => void): void {
    this.#afterInput.push(callback)
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    do {
      for (const callback of this.#afterInput.splice(0)) callback()
      await new Promise((resolve) => setImmediate(resolve))
    } while (this.#afterInput.length > 0)
  }

  /** Lets `ms` milliseconds pass, one timer after the other. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.settle()
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.due - b.due)[0]
      if (!next || next.due > end) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#now = Math.max(this.#now, next.due)
      next.callback()
      await this.settle()
    }
    this.#now = end
  }
}

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
  }
}
