import { type Clock, LogType, type LogStore, type TimerHandle } from '@raftkit/interface'
import { decodeEntry } from '@raftkit/wire'

/** How often the log store is asked. */
const LOOK_EVERY_MS = 10_000

/** Bytes of entries read to find one that says when it was appended: the first entry of a cluster does not. */
const LOOK_BYTES = 4096

/**
 * When the oldest entry of the log store was appended. Growing without end means that snapshots are not taken; little
 * age means that a follower which was away will need a snapshot instead of entries.
 */
export class OldestEntry {
  readonly #store: LogStore
  readonly #clock: Clock
  #appendedAt: number | undefined
  #timer: TimerHandle | undefined
  #isClosed = false

  constructor(store: LogStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Looks now, and again every ten seconds. */
  start(): void {
    this.#look().then(
      (appendedAt) => {
        this.#appendedAt = appendedAt
      },
      // A store that cannot be read stops the server by other ways; here there is just nothing to tell.
      () => {
        this.#appendedAt = undefined
      },
    )
    if (!this.#isClosed) this.#timer = this.#clock.setTimer(LOOK_EVERY_MS, () => this.start())
  }

  /** Its age in milliseconds by the wall clock; undefined when the log is empty or its entries do not say. */
  get ageMs(): number | undefined {
    if (this.#appendedAt === undefined) return undefined
    return Math.max(0, this.#clock.wallTime() - this.#appendedAt)
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  async #look(): Promise<number | undefined> {
    const { firstIndex, lastIndex } = await this.#store.bounds()
    if (lastIndex === 0) return undefined
    const batch = await this.#store.read(firstIndex, lastIndex, { maxBytes: LOOK_BYTES })
    for (let index = batch.firstIndex; index <= batch.lastIndex; index++) {
      // Commands may be large and are all stamped; anything else is small.
      const { type, appendedAt } = decodeEntry(batch, index)
      if (appendedAt !== undefined) return appendedAt
      if (type === LogType.command) return undefined
    }
    return undefined
  }
}
