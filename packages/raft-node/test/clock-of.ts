import type { Clock } from '@raftkit/interface'
import { systemClock } from '../src/system.ts'

/** The platform's clock, with another `now`: timers are those of the platform, or what a test has put in their place. */
export function clockOf(now: () => number): Clock {
  return {
    ...systemClock,
    now,
    setTimer: (delayMs, callback) => {
      const timer = setTimeout(callback, Math.ceil(delayMs))
      return { cancel: () => clearTimeout(timer) }
    },
  }
}
