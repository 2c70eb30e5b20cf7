/** Something that will happen. */
export interface TimedEvent {
  readonly at: number
  readonly sequence: number
  /** Undefined when it was called off. */
  run: (() => void) | undefined
}

/** Events by time, those of one time in the order in which they were added: a binary heap. */
export class EventHeap {
  readonly #heap: TimedEvent[] = []
  #sequence = 0

  add(at: number, run: () => void): TimedEvent {
    const event: TimedEvent = { at, sequence: this.#sequence++, run }
    const heap = this.#heap
    let place = heap.push(event) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[place] = heap[parent]!
      place = parent
    }
    heap[place] = event
    return event
  }

  /** Takes the next event that was not called off. */
  next(): TimedEvent | undefined {
    for (;;) {
      const event = this.#pop()
      if (event === undefined || event.run !== undefined) return event
    }
  }

  #pop(): TimedEvent | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let place = 0
    for (;;) {
      let child = place * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[place] = heap[child]!
      place = child
    }
    heap[place] = last
    return first
  }
}

function isBefore(a: TimedEvent, b: TimedEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence)
}
