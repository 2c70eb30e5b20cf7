import { type Clock, RaftError } from '@raftkit/interface'
import type { RaftConfig } from '../../config.ts'
import type { Caller, WaitOptions } from './caller.ts'
import { waitFor } from './wait.ts'

/** Counted against the byte budget for every command beside its own bytes. */
const OVERHEAD_BYTES = 64

/** The options that bound what waits. */
export type AdmissionLimits = Pick<
  RaftConfig,
  'maxCommandBytes' | 'maxPendingProposals' | 'maxPendingBytes'
>

/**
 * The budget of commands that were admitted and are not yet applied: by count and by bytes. What waits for the own
 * disk counts apart: a leader whose followers are faster than itself commits without it, and must not run ahead for ever.
 */
export class Admission {
  readonly #clock: Clock
  readonly #limits: AdmissionLimits
  readonly #backlog: () => number
  readonly #waiting: Caller<void>[] = []
  #count = 0
  #bytes = 0

  /** `backlog` tells the bytes that wait for the disk. */
  constructor(clock: Clock, limits: AdmissionLimits, backlog: () => number) {
    this.#clock = clock
    this.#limits = limits
    this.#backlog = backlog
  }

  /** Commands admitted and not yet applied. */
  get count(): number {
    return this.#count
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Callers that wait until a command would be admitted. */
  get waiting(): number {
    return this.#waiting.filter((caller) => !caller.settled).length
  }

  /** Takes a command of `size` bytes; returns what to give back later. Throws when it is refused. */
  take(size: number): number {
    const { maxCommandBytes, maxPendingProposals, maxPendingBytes } = this.#limits
    if (size > maxCommandBytes)
      throw new RaftError(
        'RAFT_COMMAND_TOO_LARGE',
        `the command has ${size} bytes, more than maxCommandBytes (${maxCommandBytes}): ` +
          'send it in parts, or raise the limit on every server',
        { outcome: 'not-committed', details: { size, maxCommandBytes } },
      )
    const weight = size + OVERHEAD_BYTES
    if (
      this.#count >= maxPendingProposals ||
      (this.#count > 0 && this.#bytes + weight > maxPendingBytes) ||
      this.#backlog() > maxPendingBytes
    )
      throw new RaftError(
        'RAFT_OVERLOADED',
        'too many commands are waiting: try again later, whenAdmitted() tells when',
        {
          retryable: true,
          outcome: 'not-committed',
          details: { pendingProposals: this.#count, pendingBytes: this.#bytes },
        },
      )
    this.#count++
    this.#bytes += weight
    return weight
  }

  /** Gives back what commands took. */
  release(count: number, weight: number): void {
    this.#count -= count
    this.#bytes -= weight
    this.recheck()
  }

  /** There may be room again. */
  recheck(): void {
    if (this.#waiting.length > 0) this.#wake()
  }

  /** Resolves when a command would be admitted; waiting callers go first come, first served. */
  whenOpen(options?: WaitOptions): Promise<void> {
    if (this.#free() > 0) return Promise.resolve()
    if (this.#waiting.length >= this.#limits.maxPendingProposals)
      return Promise.reject(
        new RaftError('RAFT_OVERLOADED', 'too many callers wait for admission: try again later', {
          retryable: true,
          outcome: 'not-committed',
        }),
      )
    return waitFor<void>(this.#clock, 'admission', options, (caller) => this.#waiting.push(caller))
  }

  /** Ends every wait for admission. */
  refuseWaiting(error: RaftError): void {
    for (const caller of this.#waiting.splice(0)) caller.reject(error)
  }

  #free(): number {
    if (this.#backlog() > this.#limits.maxPendingBytes) return 0
    if (this.#bytes + OVERHEAD_BYTES > this.#limits.maxPendingBytes && this.#count > 0) return 0
    return this.#limits.maxPendingProposals - this.#count
  }

  #wake(): void {
    let free = this.#free()
    while (free > 0 && this.#waiting.length > 0) {
      const caller = this.#waiting.shift()!
      if (caller.settled) continue
      caller.resolve()
      free--
    }
  }
}
