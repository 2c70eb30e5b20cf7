import type { Clock, Random } from '@raftkit/interface'

/** The platform's immediate: there in Node, Deno and Bun, not in browsers. */
const immediate = (globalThis as { setImmediate?: (callback: () => void) => unknown }).setImmediate

/** What fits the platform's timers, milliseconds: almost 25 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Real time, by what every platform has. */
export const realClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer(delayMs, callback) {
    // Platforms cut fractions off and take what is too long for now; a timer must not be early.
    const timer = setTimeout(callback, Math.min(Math.ceil(delayMs), LONGEST_TIMER_MS))
    return { cancel: () => clearTimeout(timer) }
  },
  afterInput(callback) {
    if (immediate) immediate(callback)
    else setTimeout(callback, 0)
  },
}

/** The platform's randomness. */
export const realRandom: Random = { next: () => Math.random() }
