import type { Random, ServerAddress } from '@raftkit/interface'
import type { DeliveryQueue } from './delivery-queue.ts'
import { drawFate } from './faults.ts'
import type { LinkFaults } from './faults.ts'

/** Keeps the frames of one direction of one stream in order. */
export interface FrameOrder {
  lastDue: number
}

/** How a frame was lost: `reset` breaks the stream at once, `silent` is noticed by nobody. */
export type FrameLoss = 'reset' | 'silent'

/**
 * The way from one server to another, one direction. Calls and answers pass as datagrams, each on its own;
 * streams pass as frames that keep their order and are lost only together with their stream.
 */
export class Link {
  /** Nothing passes, nor does what is under way arrive. */
  cut = false
  faults: LinkFaults
  readonly from: ServerAddress
  readonly to: ServerAddress
  readonly #queue: DeliveryQueue
  readonly #random: Random
  #lastDue = 0
  #underWayBytes = 0
  // Two lanes, so that calls do not wait behind bulk: when each has put its last byte on the link.
  #callsFreeAt = 0
  #bulkFreeAt = 0

  constructor(
    from: ServerAddress,
    to: ServerAddress,
    queue: DeliveryQueue,
    random: Random,
    faults: LinkFaults,
  ) {
    this.from = from
    this.to = to
    this.#queue = queue
    this.#random = random
    this.faults = faults
  }

  /**
   * Sends a datagram. `prepare` copies the message and returns its delivery: it is called now, once for every copy
   * that goes out (none when the message is lost at once). `lost` is called for every copy that will not arrive.
   */
  datagram(size: number, prepare: () => () => void, lost?: () => void): void {
    const fate = drawFate(this.#random, this.faults)
    const { bytesPerSecond, capacityBytes } = this.faults
    if (this.cut || fate.lost || this.#underWayBytes + size > capacityBytes) {
      lost?.()
      return
    }
    this.#callsFreeAt =
      Math.max(this.#callsFreeAt, this.#queue.now()) + millis(size, bytesPerSecond)
    let due = Math.max(this.#callsFreeAt + fate.delayMs, this.#lastDue)
    if (fate.reordered) due += fate.reorderDelayMs
    else this.#lastDue = due
    this.#carry(due, size, prepare(), lost)
    if (fate.duplicated) this.#carry(due + fate.duplicateDelayMs, size, prepare(), lost)
  }

  /** Sends a frame of a stream: either `deliver` or `lost` is called later, never now. */
  frame(
    order: FrameOrder,
    size: number,
    deliver: () => void,
    lost: (how: FrameLoss) => void,
  ): void {
    const fate = drawFate(this.#random, this.faults)
    const sentCut = this.cut
    this.#bulkFreeAt =
      Math.max(this.#bulkFreeAt, this.#queue.now()) + millis(size, this.faults.bytesPerSecond)
    order.lastDue = Math.max(this.#bulkFreeAt + fate.delayMs, order.lastDue)
    this.#queue.schedule(order.lastDue, () => {
      if (sentCut || this.cut) lost('silent')
      else if (fate.lost) lost('reset')
      else deliver()
    })
  }

  #carry(due: number, size: number, deliver: () => void, lost?: () => void): void {
    this.#underWayBytes += size
    this.#queue.schedule(due, () => {
      this.#underWayBytes -= size
      if (this.cut) lost?.()
      else deliver()
    })
  }
}

function millis(bytes: number, bytesPerSecond: number): number {
  return (bytes / bytesPerSecond) * 1000
}
