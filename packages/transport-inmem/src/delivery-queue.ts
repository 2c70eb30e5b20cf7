import type { Clock, TimerHandle } from '@raftkit/interface'

interface Delivery {
  readonly due: number
  readonly sequence: number
  readonly run: () => void
}

/**
 * Runs deliveries at their time, those of one time in the order in which they were scheduled. What is due at once
 * runs at the end of the current turn: never inside the call that scheduled it.
 */
export class DeliveryQueue {
  readonly #clock: Clock
  /** A binary heap: the next delivery is first. */
  readonly #heap: Delivery[] = []
  #ready: (() => void)[] = []
  #sequence = 0
  #timer: TimerHandle | undefined
  #timerDue = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds by the network's clock. */
  now(): number {
    return this.#clock.now()
  }

  /** Runs `run` at `due`, or at the end of this turn when that has passed. */
  schedule(due: number, run: () => void): void {
    if (due > this.#clock.now()) {
      this.#push({ due, sequence: this.#sequence++, run })
      this.#arm()
      return
    }
    if (this.#ready.push(run) === 1) this.#clock.afterInput(() => this.#runReady())
  }

  #runReady(): void {
    const ready = this.#ready
    this.#ready = []
    for (const run of ready) run()
  }

  #arm(): void {
    const next = this.#heap[0]
    if (!next || next.due >= this.#timerDue) return
    this.#timer?.cancel()
    this.#timerDue = next.due
    this.#timer = this.#clock.setTimer(next.due - this.#clock.now(), () => this.#runDue())
  }

  #runDue(): void {
    this.#timer = undefined
    this.#timerDue = Infinity
    const now = this.#clock.now()
    const due: Delivery[] = []
    while (this.#heap[0] && this.#heap[0].due <= now) due.push(this.#pop())
    this.#arm()
    for (const delivery of due) delivery.run()
  }

  #push(delivery: Delivery): void {
    const heap = this.#heap
    let place = heap.push(delivery) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!before(delivery, heap[parent]!)) break
      heap[place] = heap[parent]!
      place = parent
    }
    heap[place] = delivery
  }

  #pop(): Delivery {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let place = 0
    for (;;) {
      let child = place * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[place] = heap[child]!
      place = child
    }
    heap[place] = last
    return first
  }
}

function before(a: Delivery, b: Delivery): boolean {
  return a.due < b.due || (a.due === b.due && a.sequence < b.sequence)
}
