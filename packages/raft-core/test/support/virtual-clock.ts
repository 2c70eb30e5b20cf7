// Time that passes only when a test says so. Everything that runs on it is deterministic.
import type { Clock, TimerHandle } from '@raftkit/interface'

interface Timer {
  readonly due: number
  readonly order: number
  readonly callback: () => void
}

export class VirtualClock implements Clock {
  #now = 1000
  #order = 0
  #timers: Timer[] = []
  #turnEnds: (() => void)[] = []

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return 1_700_000_000_000 + this.#now
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const timer = { due: this.#now + delayMs, order: this.#order++, callback }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }

  afterInput(callback: () => void): void {
    this.#turnEnds.push(callback)
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.length
  }

  /** Lets everything happen that needs no time: promises, and the ends of turns. */
  async settle(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#turnEnds.length === 0) return
      for (const callback of this.#turnEnds.splice(0)) callback()
    }
  }

  /** Lets `ms` milliseconds pass, timer by timer. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    while (await this.#fireNext(end));
    this.#now = end
    await this.settle()
  }

  /** Lets time pass until `condition` holds; throws after `limitMs` of it. */
  async until<T>(condition: () => T | undefined | false, limitMs = 60_000): Promise<T> {
    const end = this.#now + limitMs
    for (;;) {
      await this.settle()
      const value = condition()
      if (value !== undefined && value !== false) return value
      if (!(await this.#fireNext(end))) throw new Error(`it did not happen within ${limitMs} ms`)
    }
  }

  /** Lets time pass until the promise settles. */
  async wait<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let isSettled = false
    const settled = (): void => {
      isSettled = true
    }
    promise.then(settled, settled)
    await this.until(() => isSettled, limitMs)
    return promise
  }

  /** Jumps ahead without running anything: the event loop stood still. */
  freeze(ms: number): void {
    this.#now += ms
  }

  async #fireNext(end: number): Promise<boolean> {
    await this.settle()
    const [next] = this.#timers.toSorted((a, b) => a.due - b.due || a.order - b.order)
    if (next === undefined || next.due > end) return false
    this.#timers = this.#timers.filter((other) => other !== next)
    this.#now = Math.max(this.#now, next.due)
    next.callback()
    return true
  }
}
