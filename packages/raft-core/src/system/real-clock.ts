// The real clock: the only place of raft-core, with real-random.ts, that touches the platform's time.
import type { Clock, TimerHandle } from '@raftkit/interface'

/** The longest delay that a platform timer takes; longer ones are cut into pieces. */
const MAX_DELAY_MS = 2 ** 31 - 1

interface Platform {
  readonly setImmediate?: (callback: () => void) => unknown
}

class RealTimer implements TimerHandle {
  readonly #due: number
  readonly #callback: () => void
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(delayMs: number, callback: () => void) {
    this.#due = performance.now() + delayMs
    this.#callback = callback
    this.#arm(delayMs)
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(
      () => this.#fire(),
      Math.min(Math.max(Math.ceil(delayMs), 0), MAX_DELAY_MS),
    )
  }

  // Platforms round timers to whole milliseconds and may fire up to one early.
  #fire(): void {
    const remaining = this.#due - performance.now()
    if (remaining > 0) this.#arm(remaining)
    else this.#callback()
  }
}

/**
 * Time of the platform: `performance.now`, `setTimeout` and, for the end of a turn, `setImmediate` where there
 * is one, a message to itself where not (browsers), a zero timer failing both.
 */
export function realClock(): Clock {
  const afterInput = turnEnd()
  return {
    now: () => performance.now(),
    wallTime: () => Date.now(),
    setTimer: (delayMs, callback) => new RealTimer(delayMs, callback),
    afterInput,
  }
}

function turnEnd(): (callback: () => void) => void {
  const immediate = (globalThis as Platform).setImmediate
  if (immediate !== undefined) return (callback) => void immediate(callback)
  if (typeof MessageChannel === 'undefined') return (callback) => void setTimeout(callback, 0)
  const waiting: (() => void)[] = []
  const channel = new MessageChannel()
  channel.port1.onmessage = () => waiting.shift()?.()
  return (callback) => {
    waiting.push(callback)
    channel.port2.postMessage(undefined)
  }
}
