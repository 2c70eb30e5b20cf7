import { isSafeNumber, RaftError } from '@raftkit/interface'
import type { HardState } from '@raftkit/interface'
import type { BoundaryKeeper } from '../boundary/boundary-keeper.ts'
import type { Database } from '../database/database.ts'
import type { Handle } from '../handle.ts'
import { HARD_STATE_KEY, REVISION_KEY, valueKey } from '../database/keys.ts'
import { checksumIn, DamagedRecord, sealBytes, unsealBytes } from '../database/record.ts'
import { replaceChecksum, sealHardState, sealRevision } from './stable-records.ts'
import type { Revision } from './stable-records.ts'
import { corruptError, hasCode } from '../store-errors.ts'

/** The largest small value, in bytes: 64 KiB, as the StableStore port says. */
const MAX_VALUE_BYTES = 64 * 1024

/** What the stable half of a store works with. */
export interface StableParts {
  readonly database: Database
  readonly handle: Handle
  readonly keeper: BoundaryKeeper
}

/**
 * Term, vote and small values in a database. Every change also raises a revision, in the same write; the boundary
 * file has it before the change's promise resolves. Changing calls must not overlap.
 */
export class LevelStable {
  readonly #database: Database
  readonly #handle: Handle
  readonly #keeper: BoundaryKeeper
  #hardState: HardState | undefined
  #revision: Revision

  constructor(parts: StableParts, hardState: HardState | undefined, revision: Revision) {
    this.#database = parts.database
    this.#handle = parts.handle
    this.#keeper = parts.keeper
    this.#hardState = hardState
    this.#revision = revision
  }

  get hardState(): HardState | undefined {
    return this.#hardState
  }

  async saveHardState({ term, votedFor }: HardState): Promise<void> {
    const stored = this.#hardState?.term ?? 0
    if (!isSafeNumber(term))
      throw new RaftError(
        'RAFT_INVALID_ARGUMENT',
        'a term is an integer from 0 to 2^53 - 1; this one is not',
      )
    if (term < stored)
      throw new RaftError(
        'RAFT_INVARIANT_VIOLATED',
        `cannot go back to term ${term}: term ${stored} is stored, and a term never goes back (Raft §5.1)`,
        { details: { term, stored } },
      )
    const state: HardState = Object.freeze(
      votedFor === undefined
        ? { term }
        : { term, votedFor: Object.freeze({ id: votedFor.id, address: votedFor.address }) },
    )
    const record = sealHardState(state)
    await this.#change(HARD_STATE_KEY, record, this.#revision.valuesChecksum)
    await this.#keeper.record({
      term,
      hardStateChecksum: checksumIn(record),
      revision: this.#revision.revision,
    })
    this.#hardState = state
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    try {
      const record = await this.#database.get(valueKey(name))
      return record && unsealBytes(name, record)
    } catch (error) {
      if (error instanceof DamagedRecord || hasCode(error, 'LEVEL_CORRUPTION'))
        throw corruptError(this.#handle.directory, `the value of '${name}' cannot be read`, error)
      throw this.#handle.fail(error)
    }
  }

  async set(name: string, value: Uint8Array): Promise<void> {
    if (value.length > MAX_VALUE_BYTES)
      throw new RaftError(
        'RAFT_LIMIT_EXCEEDED',
        `the value of '${name}' has ${value.length} bytes; a stable store takes at most ${MAX_VALUE_BYTES}`,
        { details: { key: name, size: value.length, limit: MAX_VALUE_BYTES } },
      )
    const key = valueKey(name)
    const record = sealBytes(name, value)
    const before = await this.#handle.use(() => this.#database.get(key))
    await this.#change(key, record, replaceChecksum(this.#revision.valuesChecksum, before, record))
    await this.#keeper.record({ revision: this.#revision.revision })
  }

  async #change(key: Uint8Array, record: Uint8Array, valuesChecksum: number): Promise<void> {
    const revision = { revision: this.#revision.revision + 1, valuesChecksum }
    const puts: [Uint8Array, Uint8Array][] = [
      [key, record],
      [REVISION_KEY, sealRevision(revision)],
    ]
    await this.#handle.use(() => this.#database.write({ puts }))
    this.#revision = revision
  }
}
