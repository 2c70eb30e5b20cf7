import { isSafeNumber, RaftError } from '@raftkit/interface'
import type { EntryBatch, Index, LogBounds, LogReadLimits } from '@raftkit/interface'
import { cutBlock, divideIntoBlocks, encodeBlock } from './block.ts'
import type { Block } from './block.ts'
import { CommitRecord } from './commit-record.ts'
import type { BoundaryKeeper } from '../boundary/boundary-keeper.ts'
import type { Changes, Database, KeyRange } from '../database/database.ts'
import type { Handle } from '../handle.ts'
import { joinBatches } from './join-batches.ts'
import { ANCHOR_KEY, blockKey, LAST_BLOCK_KEY } from '../database/keys.ts'
import { promiseOf, sealAnchor } from './log-anchor.ts'
import type { LogAnchor, LogContents, LogEnd } from './log-anchor.ts'
import { scanBlocks } from './log-scan.ts'
import { DamagedRecord } from '../database/record.ts'
import { corruptError, hasCode } from '../store-errors.ts'

/** Most blocks of one step of a read, and most deletions of one write. */
const STEP_COUNT = 512
const STEP_BYTES = 1024 * 1024

/** What a log works with. */
export interface LogParts {
  readonly database: Database
  readonly handle: Handle
  readonly keeper: BoundaryKeeper
  /** Most bytes of entries in one block. */
  readonly maxBlockBytes: number
}

/** The log in a database. Changing calls must not overlap. */
export class LevelLog {
  readonly #database: Database
  readonly #handle: Handle
  readonly #keeper: BoundaryKeeper
  readonly #maxBlockBytes: number
  #anchor: LogAnchor
  /** Undefined when the log is empty. */
  #end: LogEnd | undefined
  /** Up to where the log is known to be committed. */
  readonly commit: CommitRecord

  constructor(parts: LogParts, { anchor, end, writtenCommit }: LogContents) {
    this.#database = parts.database
    this.#handle = parts.handle
    this.#keeper = parts.keeper
    this.#maxBlockBytes = parts.maxBlockBytes
    this.#anchor = anchor
    this.#end = end
    this.commit = new CommitRecord(writtenCommit, end?.index ?? 0)
  }

  get bounds(): LogBounds {
    return this.#end === undefined
      ? { firstIndex: 0, lastIndex: 0 }
      : { firstIndex: this.#anchor.removedThrough + 1, lastIndex: this.#end.index }
  }

  async read(from: Index, to: Index, { maxBytes }: LogReadLimits): Promise<EntryBatch> {
    const { firstIndex, lastIndex } = this.bounds
    if (!(to >= from))
      throw new RaftError('RAFT_INVALID_ARGUMENT', `cannot read ${from}..${to}: it is no range`)
    if (lastIndex === 0 || !(from >= firstIndex && from <= lastIndex))
      throw new RaftError(
        'RAFT_LOG_NOT_FOUND',
        `entry ${from} is not in the log, which holds ${lastIndex === 0 ? 'nothing' : `${firstIndex}..${lastIndex}`}; it was compacted or never written`,
        { details: { index: from, firstIndex, lastIndex } },
      )
    const end = Math.min(to, lastIndex)
    const parts: EntryBatch[] = []
    let next = from
    let room = maxBytes
    for await (const blocks of this.#scan(from, end - from + 1, Math.min(maxBytes, STEP_BYTES))) {
      for (const { entries } of blocks) {
        const last = lastThatFits(entries, next, end, parts.length === 0, room)
        if (last >= next) parts.push(entries.slice(next, last))
        if (last === end || last < entries.lastIndex) return joinBatches(parts)
        room -= parts.at(-1)!.byteLength
        next = last + 1
      }
    }
    throw corruptError(this.#handle.directory, `entry ${next} is gone`)
  }

  async append(batches: readonly EntryBatch[], commitIndex?: Index): Promise<void> {
    const first = batches[0]
    const last = batches.at(-1)
    if (first === undefined || last === undefined) return
    this.#checkAppendable(batches)
    const committed = this.commit.after(commitIndex, last.lastIndex)
    const puts = this.commit.putsFor(committed)
    let anchor = this.#anchor
    if (this.#end === undefined && first.firstIndex !== anchor.removedThrough + 1) {
      anchor = { ...anchor, removedThrough: first.firstIndex - 1 }
      puts.push([ANCHOR_KEY, sealAnchor(anchor)])
    }
    let checksum = this.#end?.checksum ?? anchor.checksum
    for (const parts of divideIntoBlocks(batches, this.#maxBlockBytes)) {
      const block = encodeBlock(parts, checksum)
      checksum = block.checksum
      puts.push([blockKey(block.lastIndex), block.value])
    }
    await this.#write({ puts })
    this.commit.wrote(committed)
    this.#anchor = anchor
    this.#end = { index: last.lastIndex, term: last.lastTerm, checksum }
    await this.#keeper.raise(promiseOf(this.#end))
  }

  /**
   * Lowers the boundary, then deletes blocks from the end of the log downwards, each write synced, and last cuts the
   * block that holds the new end. A crash in between leaves a log that is whole and ends at or above the boundary.
   */
  async truncateSuffix(from: Index): Promise<void> {
    const { firstIndex, lastIndex } = this.bounds
    if (lastIndex === 0 || !(from <= lastIndex)) return
    if (from <= firstIndex) {
      await this.#keeper.recordTwice(promiseOf(undefined))
      this.#endAt(undefined)
      return this.#deleteFrom(firstIndex)
    }
    const block = await this.#blockOf(from - 1)
    const kept = cutBlock(block, from - 1)
    const end = { index: from - 1, term: kept.lastTerm, checksum: kept.checksum }
    await this.#keeper.recordTwice(promiseOf(end))
    this.#endAt(end)
    const blockEnd = block.entries.lastIndex
    await this.#deleteFrom(blockEnd + 1)
    if (blockEnd >= from)
      await this.#write({
        deletes: [blockKey(blockEnd)],
        puts: [[blockKey(kept.lastIndex), kept.value]],
      })
  }

  /**
   * Moves the anchor, which hides the removed blocks, in one synced write; then deletes them. What a crash leaves of
   * them is deleted at the next open.
   */
  async truncatePrefix(to: Index): Promise<void> {
    const { firstIndex, lastIndex } = this.bounds
    if (this.#end === undefined || !(to >= firstIndex)) return
    if (to >= lastIndex) {
      await this.#keeper.recordTwice(promiseOf(undefined))
      await this.#moveAnchor({ removedThrough: lastIndex, checksum: this.#end.checksum })
      this.#endAt(undefined)
    } else {
      const block = await this.#blockOf(to + 1)
      // The boundary must name an entry that stays, or the check at open would have nothing to compare.
      await this.#keeper.sync()
      await this.#moveAnchor({ removedThrough: to, checksum: block.previousChecksum })
    }
    await this.#deleteRemoved(firstIndex)
  }

  #endAt(end: LogEnd | undefined): void {
    this.#end = end
    this.commit.cut(end?.index ?? 0)
  }

  /** Deletes what a crash left of blocks that had been removed. */
  async removeLeftovers(): Promise<void> {
    await this.#deleteRemoved(0)
  }

  /**
   * Deletes the blocks in front of the anchor, those of lower indexes than `from` being gone. In ascending order:
   * LevelDB would look for the end of a descending one among all the blocks that were ever deleted.
   */
  #deleteRemoved(from: Index): Promise<void> {
    const range = { from: blockKey(from), to: blockKey(this.#anchor.removedThrough) }
    return this.#deleteBlocks(range, 'ascending')
  }

  /** Deletes the blocks that end at `from` or after it, the last first. */
  #deleteFrom(from: Index): Promise<void> {
    return this.#deleteBlocks({ from: blockKey(from), to: LAST_BLOCK_KEY }, 'descending')
  }

  async #moveAnchor(anchor: LogAnchor): Promise<void> {
    await this.#write({ puts: [[ANCHOR_KEY, sealAnchor(anchor)]] })
    this.#anchor = anchor
  }

  /** Deletes the blocks whose keys lie in a range, a bounded number with each synced write. */
  #deleteBlocks(range: KeyRange, order: 'ascending' | 'descending'): Promise<void> {
    return this.#handle.use(async () => {
      for await (const deletes of this.#database.keys(range, order, STEP_COUNT))
        await this.#database.write({ deletes })
    })
  }

  async #blockOf(index: Index): Promise<Block> {
    for await (const blocks of this.#scan(index, 1, 0)) return blocks[0]!
    throw corruptError(this.#handle.directory, `entry ${index} is gone`)
  }

  async *#scan(
    from: Index,
    count: number,
    maxBytes: number,
  ): AsyncGenerator<readonly Block[], void, undefined> {
    try {
      yield* scanBlocks(this.#database, from, { count: Math.min(count, STEP_COUNT), maxBytes })
    } catch (error) {
      if (error instanceof DamagedRecord)
        throw corruptError(this.#handle.directory, error.message, error)
      if (hasCode(error, 'LEVEL_CORRUPTION'))
        throw corruptError(this.#handle.directory, `LevelDB cannot read entry ${from}`, error)
      throw this.#handle.fail(error)
    }
  }

  #write(changes: Changes): Promise<void> {
    return this.#handle.use(() => this.#database.write(changes))
  }

  #checkAppendable(batches: readonly EntryBatch[]): void {
    let last = this.#end?.index ?? 0
    for (const batch of batches) {
      if (!(batch.firstIndex >= 1) || !isSafeNumber(batch.lastIndex))
        throw new RaftError(
          'RAFT_INVALID_ARGUMENT',
          `cannot append ${batch.firstIndex}..${batch.lastIndex}: an index is from 1 to 2^53 - 1`,
        )
      if (last !== 0 && batch.firstIndex !== last + 1)
        throw new RaftError(
          'RAFT_LOG_GAP',
          `cannot append from ${batch.firstIndex}: the next index is ${last + 1}; nothing was stored`,
          { details: { firstIndex: batch.firstIndex, expected: last + 1 } },
        )
      last = batch.lastIndex
    }
  }
}

/** The last entry from `next` to `end` that fits into `room` bytes; `next - 1` when none does. */
function lastThatFits(
  entries: EntryBatch,
  next: Index,
  end: Index,
  firstAlwaysFits: boolean,
  room: number,
): Index {
  const { firstIndex, offsets } = entries
  const start = offsets[next - firstIndex]!
  const stop = Math.min(end, entries.lastIndex)
  let last = firstAlwaysFits ? next : next - 1
  while (last < stop && offsets[last + 2 - firstIndex]! - start <= room) last++
  return last
}
