import type { Random } from '@raftkit/interface'
import type { Leadership } from '@raftkit/raft-node'
import type { SimulatedParts } from '@raftkit/simulator'
import type { Court, Reign, Reigns } from './reigns.ts'

/** Share of steps of the work in which the event loop stands still. */
const STALLS = 0.04

/** How long work goes on, at most, when its leadership is over, milliseconds. */
const MOST_AFTERWARDS_MS = 80

/** What work needs of its server. */
export interface Workplace {
  readonly random: Random
  readonly raftOptions: SimulatedParts
  readonly report: (problem: string) => void
  readonly mark: (name: string) => void
  readonly standStill: (forMs: number) => void
}

/** The work of one server while it leads: in steps, before each of which it looks whether it still may. */
export class Work {
  readonly #site: Workplace
  readonly #court: Court
  readonly #reigns: Reigns
  readonly #leaseMs: number
  #reign: Reign | undefined
  #isWorking = false
  #isStopped = false

  constructor(site: Workplace, court: Court, reigns: Reigns) {
    this.#site = site
    this.#court = court
    this.#reigns = reigns
    this.#leaseMs = site.raftOptions.config.leaderLeaseTimeoutMs
  }

  readonly callback = async (leadership: Leadership): Promise<void> => {
    const { report, mark, random } = this.#site
    if (this.#isStopped) report('calls a callback after it was asked to stop')
    if (this.#isWorking) report('calls a callback that has not come to its end')
    this.#isWorking = true
    const reign = this.#reigns.begin(this.#court, leadership)
    this.#reign = reign
    while (this.#reigns.holds(reign)) {
      if (random.next() < STALLS) this.#standStill(reign)
      await this.#pause(random.next() * 0.4 * this.#leaseMs, reign)
    }
    mark('a leader that worked heard that it is over')
    if (random.next() < 0.3) await this.#pause(random.next() * MOST_AFTERWARDS_MS)
    this.#isWorking = false
  }

  /** The leadership that it works for, unless that is over. */
  get present(): Reign | undefined {
    return this.#reign?.isOver === false ? this.#reign : undefined
  }

  /** The server was just asked to stop: from now on nothing may be called, and what it led, `present`, is over. */
  stopped(present: Reign | undefined): void {
    this.#isStopped = true
    if (present === undefined) return
    this.#reigns.stopped(present)
    if (!present.leadership.signal.aborted)
      this.#site.report('leads on although it was asked to stop')
  }

  /** After a stall that was longer than the lease, whoever looks finds the signal aborted, with no timer in between. */
  #standStill({ leadership: { signal } }: Reign): void {
    const { random, report, mark, standStill, raftOptions } = this.#site
    const { clock } = raftOptions
    const before = clock.now()
    standStill(2 * random.next() * this.#leaseMs)
    const isLate = clock.now() - before > this.#leaseMs
    if (isLate && !signal.aborted) report('leads after a stall that was longer than its lease')
    if (isLate) mark('a signal was aborted right after a stall')
  }

  /** Until the leadership is over at the longest. Whoever looks may be the first timer to run after a pause. */
  #pause(forMs: number, reign?: Reign): Promise<void> {
    const { clock } = this.#site.raftOptions
    const signal = reign?.leadership.signal
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel()
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = clock.setTimer(forMs, () => {
        if (reign !== undefined) this.#reigns.holds(reign)
        end()
      })
      signal?.addEventListener('abort', end, { once: true })
    })
  }
}
