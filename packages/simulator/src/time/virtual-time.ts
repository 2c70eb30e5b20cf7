import type { Clock, TimerHandle } from '@raftkit/interface'
import { EventHeap, type TimedEvent } from './event-heap.ts'
import { everyTurn } from './turns.ts'

/** Wall time at the start of every simulation. */
const EPOCH = 1_700_000_000_000

/**
 * The time of the world: it jumps from event to event, and between two events every promise job runs to its end. It is
 * also the clock of everything that belongs to no server.
 */
export class VirtualTime implements Clock {
  readonly #heap = new EventHeap()
  #now = 0
  #events = 0

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return EPOCH + this.#now
  }

  /** Events that have happened. */
  get events(): number {
    return this.#events
  }

  /** Runs `run` at that time, which is now when it has passed. */
  at(time: number, run: () => void): TimedEvent {
    return this.#heap.add(Math.max(time, this.#now), run)
  }

  after(delayMs: number, run: () => void): TimedEvent {
    return this.#heap.add(this.#now + delayMs, run)
  }

  /** Resolves after that time. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve)
    })
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const event = this.after(Math.max(0, delayMs), callback)
    return {
      cancel() {
        event.run = undefined
      },
    }
  }

  afterInput(callback: () => void): void {
    this.after(0, callback)
  }

  /** Lets things happen, one event in each turn of the event loop, until `isOver` says so or nothing is left to happen. */
  run(isOver: () => boolean): Promise<void> {
    return everyTurn(() => {
      if (isOver()) return false
      const event = this.#heap.next()
      if (event === undefined) return false
      this.#now = event.at
      this.#events++
      event.run?.()
      return true
    })
  }
}
