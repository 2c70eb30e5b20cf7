import type { Clock, TimerHandle } from '@raftkit/interface'
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

/** The platform's clock, and how many timers are set by it. */
export class CountingClock implements Clock {
  timers = 0
  /** Timers that were ever set. */
  everSet = 0

  now(): number {
    return systemClock.now()
  }

  wallTime(): number {
    return systemClock.wallTime()
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    let isSet = true
    this.timers += 1
    this.everSet += 1
    const end = (): void => {
      if (isSet) this.timers -= 1
      isSet = false
    }
    const timer = systemClock.setTimer(delayMs, () => {
      end()
      callback()
    })
    return {
      cancel: () => {
        end()
        timer.cancel()
      },
    }
  }

  afterInput(callback: () => void): void {
    systemClock.afterInput(callback)
  }
}
