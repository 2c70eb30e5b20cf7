import type { Clock, Random } from '@raftkit/interface'

/** The platform's immediate: there in Node, Deno and Bun, not in browsers. */
const immediate = (globalThis as { setImmediate?: (callback: () => void) => unknown }).setImmediate

/** Real time, by what every platform has. */
export const realClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer(delayMs, callback) {
    // Platforms cut fractions off, and a timer must not be early.
    const timer = setTimeout(callback, Math.ceil(delayMs))
    return { cancel: () => clearTimeout(timer) }
  },
  afterInput(callback) {
    if (immediate) immediate(callback)
    else setTimeout(callback, 0)
  },
}

/** The platform's randomness. */
export const realRandom: Random = { next: () => Math.random() }
