import type { Clock, TimerHandle } from '@raftkit/interface'
import type { Stream } from '../random/streams.ts'
import type { VirtualTime } from '../time/virtual-time.ts'
import type { Process } from './process.ts'

/** Mean time that a turn waits for the processor, milliseconds. */
const TURN_DELAY_MS = 0.05

/** What a {@link ServerClock} runs on. */
export interface ServerClockParts {
  readonly time: VirtualTime
  readonly process: Process
  readonly random: Stream
  /** Seconds of this clock per second of the world. */
  readonly rate: number
  /** Called when a turn or timer of the server has run. */
  readonly onRun: () => void
}

/** Time as one server sees it: with an origin and a rate of its own, and late while the server is paused. */
export class ServerClock implements Clock {
  readonly #parts: ServerClockParts
  #origin: number
  #turnEnd = 0
  #timers = 0
  readonly #jumps: { readonly at: number; readonly byMs: number }[] = []

  constructor(parts: ServerClockParts) {
    this.#parts = parts
    this.#origin = parts.random.between(0, 1_000_000)
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers
  }

  now(): number {
    const { time, process, rate } = this.#parts
    return this.#origin + (time.now() + process.aheadMs) * rate
  }

  /** The clock goes ahead at once. Timers that are set fire when they would have. */
  jump(byMs: number): void {
    this.#origin += byMs
    this.#jumps.push({ at: this.#parts.time.now(), byMs })
  }

  /** When the world's time was what this clock showed `agoMs` of its own milliseconds ago. */
  worldTimeBefore(agoMs: number): number {
    const { time, rate } = this.#parts
    let at = time.now()
    let leftMs = agoMs
    for (const jump of this.#jumps.toReversed()) {
      const sinceMs = (at - jump.at) * rate
      if (leftMs <= sinceMs) break
      leftMs -= sinceMs
      at = jump.at
      if (leftMs <= jump.byMs) return at
      leftMs -= jump.byMs
    }
    return at - leftMs / rate
  }

  wallTime(): number {
    return this.#parts.time.wallTime() + this.#origin
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const { time, process, rate, onRun } = this.#parts
    let isSet = true
    this.#timers++
    const end = (): void => {
      if (isSet) this.#timers--
      isSet = false
    }
    const due = Math.max(0, delayMs) / rate + process.aheadMs
    const event = time.after(due, () =>
      process.run('timer', () => {
        if (!isSet) return
        end()
        callback()
        onRun()
      }),
    )
    return {
      cancel() {
        end()
        event.run = undefined
      },
    }
  }

  // Turns end in the order in which they were asked for, with a little time between them that differs from server to
  // server: that alone makes many orders of events.
  afterInput(callback: () => void): void {
    const { time, process, random, onRun } = this.#parts
    this.#turnEnd = Math.max(this.#turnEnd, time.now() + random.exponential(TURN_DELAY_MS))
    time.at(this.#turnEnd, () =>
      process.run('turn-end', () => {
        callback()
        onRun()
      }),
    )
  }
}
