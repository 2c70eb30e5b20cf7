import { isSafeNumber, RaftError } from '@raftkit/interface'
import type { Index } from '@raftkit/interface'
import { COMMIT_KEY } from '../database/keys.ts'
import { numberIn, sealFields, unsealFields } from '../database/record.ts'

const NAME = 'commit'

/**
 * Up to where a log is known to be committed, in memory and in the database. What the database says counts only as far
 * as the log reaches, so a truncation need not touch it: the next append writes it anew, with its entries.
 */
export class CommitRecord {
  #written: Index
  #index: Index

  /** `written` is what the database says, 0 when it says nothing; the log ends at `lastIndex`. */
  constructor(written: Index, lastIndex: Index) {
    this.#written = written
    this.#index = Math.min(written, lastIndex)
  }

  /** The largest commit index that came with an append, no further than the log reaches. */
  get index(): Index {
    return this.#index
  }

  /** The commit index after an append up to `lastIndex` that came with `given`. Throws `RAFT_INVALID_ARGUMENT`. */
  after(given: Index | undefined, lastIndex: Index): Index {
    if (given === undefined) return this.#index
    if (isSafeNumber(given)) return Math.max(this.#index, Math.min(given, lastIndex))
    throw new RaftError(
      'RAFT_INVALID_ARGUMENT',
      `cannot append with the commit index ${String(given)}: it is an integer from 0 to 2^53 - 1`,
    )
  }

  /** What the database must be told for it to say `index`: nothing, or one record. */
  putsFor(index: Index): [Uint8Array, Uint8Array][] {
    return index === this.#written ? [] : [[COMMIT_KEY, sealFields(NAME, { commitIndex: index })]]
  }

  /** The database says `index` now. */
  wrote(index: Index): void {
    this.#written = index
    this.#index = index
  }

  /** The log ends at `lastIndex` now. */
  cut(lastIndex: Index): void {
    this.#index = Math.min(this.#index, lastIndex)
  }
}

/** The commit index in the bytes of its record; throws `DamagedRecord`. */
export function unsealCommit(bytes: Uint8Array): Index {
  return numberIn(unsealFields(NAME, bytes), 'commitIndex')
}
