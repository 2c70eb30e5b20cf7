import type { Clock, Random, TimerHandle } from '@raftkit/interface'

/** Real time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
  afterInput(callback: () => void): void {
    setImmediate(callback)
  },
}

/** Real chance. */
export const systemRandom: Random = { next: () => Math.random() }
