import {
  messageOf,
  RaftError,
  type Clock,
  type Random,
  type ServerAddress,
} from '@raftkit/interface'

interface FailedAddress {
  readonly failures: number
  readonly failedAt: number
  readonly retryAt: number
  readonly error: unknown
}

/**
 * Keeps a server from dialling an address again and again that has just failed: waiting times double from
 * `minMs` to `maxMs`, each drawn from its upper half, so that servers that lost each other at the same moment do
 * not come back at the same moment.
 */
export class DialBackoff {
  readonly #minMs: number
  readonly #maxMs: number
  readonly #clock: Clock
  readonly #random: Random
  readonly #failed = new Map<ServerAddress, FailedAddress>()

  constructor(minMs: number, maxMs: number, clock: Clock, random: Random) {
    this.#minMs = minMs
    this.#maxMs = maxMs
    this.#clock = clock
    this.#random = random
  }

  /** Throws `RAFT_DIAL_FAILED`, retryable, while the address waits. */
  check(address: ServerAddress): void {
    const failed = this.#failed.get(address)
    if (failed === undefined) return
    const retryInMs = Math.ceil(failed.retryAt - this.#clock.now())
    if (retryInMs <= 0) return
    throw new RaftError(
      'RAFT_DIAL_FAILED',
      `${address} is not dialled for another ${retryInMs} ms after ${failed.failures} failed attempts ` +
        `(last: ${messageOf(failed.error)}); try again later`,
      {
        retryable: true,
        cause: failed.error,
        details: { address, retryInMs, failures: failed.failures },
      },
    )
  }

  /** A dial that began at `startedAt` failed. Dials that ran side by side count as one. */
  failed(address: ServerAddress, startedAt: number, error: unknown): void {
    const before = this.#failed.get(address)
    if (before !== undefined && startedAt < before.failedAt) return
    const failures = (before?.failures ?? 0) + 1
    const ceiling = Math.min(this.#maxMs, this.#minMs * 2 ** Math.min(failures - 1, 30))
    const now = this.#clock.now()
    const retryAt = now + (ceiling * (1 + this.#random.next())) / 2
    this.#failed.set(address, { failures, failedAt: now, retryAt, error })
    this.#forgetOld(now)
  }

  /** The address answered: the next failure starts from `minMs` again. */
  succeeded(address: ServerAddress): void {
    this.#failed.delete(address)
  }

  /** Addresses that left the cluster would stay for ever: drop those whose wait ended long ago. */
  #forgetOld(now: number): void {
    if (this.#failed.size <= 256) return
    for (const [address, { retryAt }] of this.#failed)
      if (now > retryAt + 10 * this.#maxMs) this.#failed.delete(address)
  }
}
