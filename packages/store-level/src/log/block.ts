import { crc32 } from 'node:zlib'
import { EntryBatch, isSafeNumber, LogType } from '@raftkit/interface'
import type { Index, Term } from '@raftkit/interface'
import { DamagedRecord } from '../database/record.ts'

/**
 * A block is what one append writes: consecutive entries under one key and one checksum. Truncation cuts it.
 *
 *   offset  size  content, numbers most significant byte first
 *   0       4     CRC-32 of everything after it
 *   4       1     format, 1
 *   5       4     checksum of the block before (of the log's anchor for the first)
 *   9       8     index of the first entry
 *   17      4     number of entries
 *   21      4     number of runs
 *   25      13 r  runs of entries of equal term and type: how many (4), term (8), type (1)
 *           4 n   encoded size of each entry
 *                 the encoded entries, as they came
 *
 * So a checksum covers the index, term, type and bytes of every entry of the block and, through the checksum of
 * the block before, the whole log in front of it: a block that is missing, old or in the wrong place shows.
 */
const FORMAT = 1
const HEADER_BYTES = 25
const RUN_BYTES = 13
const LENGTH_BYTES = 4
const TWO_POW_32 = 0x1_0000_0000

const knownTypes: ReadonlySet<number> = new Set(Object.values(LogType))

/** Entries of one batch by position, `start` inclusive, `end` exclusive. */
export interface BlockPart {
  readonly batch: EntryBatch
  readonly start: number
  readonly end: number
}

/** A block read back. */
export interface Block {
  readonly checksum: number
  readonly previousChecksum: number
  /** The entries; views of the value that was read. */
  readonly entries: EntryBatch
}

/** A block to be written. */
export interface EncodedBlock {
  readonly value: Uint8Array
  readonly checksum: number
  readonly lastIndex: Index
  readonly lastTerm: Term
}

/** Divides batches with consecutive indexes into blocks of at most `maxBytes` of entries; one entry always fits. */
export function divideIntoBlocks(
  batches: readonly EntryBatch[],
  maxBytes: number,
): readonly (readonly BlockPart[])[] {
  const blocks: BlockPart[][] = []
  let parts: BlockPart[] = []
  let size = 0
  for (const batch of batches) {
    const { offsets, count } = batch
    let start = 0
    for (let i = 0; i < count; i++) {
      const length = offsets[i + 1]! - offsets[i]!
      const isFirst = parts.length === 0 && i === start
      if (!isFirst && size + length > maxBytes) {
        if (i > start) parts.push({ batch, start, end: i })
        blocks.push(parts)
        parts = []
        size = 0
        start = i
      }
      size += length
    }
    parts.push({ batch, start, end: count })
  }
  if (parts.length > 0) blocks.push(parts)
  return blocks
}

/** The block of these parts, which hold consecutive entries. */
export function encodeBlock(parts: readonly BlockPart[], previousChecksum: number): EncodedBlock {
  const runs = runsOf(parts)
  let count = 0
  let size = 0
  for (const { batch, start, end } of parts) {
    count += end - start
    size += batch.offsets[end]! - batch.offsets[start]!
  }
  const value = Buffer.allocUnsafe(
    HEADER_BYTES + runs.length * RUN_BYTES + count * LENGTH_BYTES + size,
  )
  const first = parts[0]!
  const firstIndex = first.batch.firstIndex + first.start
  value[4] = FORMAT
  value.writeUInt32BE(previousChecksum, 5)
  writeSafe(value, firstIndex, 9)
  value.writeUInt32BE(count, 17)
  value.writeUInt32BE(runs.length, 21)
  let at = HEADER_BYTES
  for (const run of runs) {
    value.writeUInt32BE(run.count, at)
    writeSafe(value, run.term, at + 4)
    value[at + 12] = run.type
    at += RUN_BYTES
  }
  for (const { batch, start, end } of parts)
    for (let i = start; i < end; i++) {
      value.writeUInt32BE(batch.offsets[i + 1]! - batch.offsets[i]!, at)
      at += LENGTH_BYTES
    }
  for (const { batch, start, end } of parts) {
    value.set(batch.bytes.subarray(batch.offsets[start]!, batch.offsets[end]!), at)
    at += batch.offsets[end]! - batch.offsets[start]!
  }
  const checksum = crc32(value.subarray(4))
  value.writeUInt32BE(checksum, 0)
  return { value, checksum, lastIndex: firstIndex + count - 1, lastTerm: runs.at(-1)!.term }
}

/** Reads a block and checks it; throws {@link DamagedRecord}. `lastIndex` is the one its key names. */
export function decodeBlock(bytes: Uint8Array, lastIndex: Index): Block {
  const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (value.length < HEADER_BYTES) throw new DamagedRecord(`it has only ${value.length} bytes`)
  const checksum = value.readUInt32BE(0)
  if (checksum !== crc32(value.subarray(4))) throw new DamagedRecord('its checksum does not match')
  if (value[4] !== FORMAT)
    throw new DamagedRecord(`its format is ${value[4]}, this version of raftkit reads ${FORMAT}`)
  const firstIndex = readSafe(value, 9)
  const count = value.readUInt32BE(17)
  if (firstIndex + count - 1 !== lastIndex)
    throw new DamagedRecord(`it holds ${count} entries from ${firstIndex}`)
  const runCount = value.readUInt32BE(21)
  if (HEADER_BYTES + runCount * RUN_BYTES + count * LENGTH_BYTES > value.length)
    throw new DamagedRecord('its tables are longer than itself')
  const terms: Term[] = []
  const types: LogType[] = []
  let at = HEADER_BYTES
  for (let left = runCount; left > 0; left--) {
    const term = readSafe(value, at + 4)
    const type = value[at + 12]!
    if (!isLogType(type)) throw new DamagedRecord(`it names the unknown entry type ${type}`)
    for (let i = value.readUInt32BE(at); i > 0; i--) {
      terms.push(term)
      types.push(type)
    }
    at += RUN_BYTES
  }
  const offsets: number[] = [at + count * LENGTH_BYTES]
  for (let i = 0; i < count; i++, at += LENGTH_BYTES)
    offsets.push(offsets[i]! + value.readUInt32BE(at))
  if (terms.length !== count || offsets[count] !== value.length)
    throw new DamagedRecord('its tables contradict each other')
  return {
    checksum,
    previousChecksum: value.readUInt32BE(5),
    entries: new EntryBatch(firstIndex, bytes, offsets, terms, types),
  }
}

/** The block that is left of `block` when every entry after `lastIndex` is cut off. */
export function cutBlock(block: Block, lastIndex: Index): EncodedBlock {
  const { entries } = block
  const part = { batch: entries, start: 0, end: lastIndex - entries.firstIndex + 1 }
  return encodeBlock([part], block.previousChecksum)
}

interface Run {
  readonly term: Term
  readonly type: LogType
  count: number
}

function runsOf(parts: readonly BlockPart[]): readonly Run[] {
  const runs: Run[] = []
  let run: Run | undefined
  for (const { batch, start, end } of parts)
    for (let i = start; i < end; i++) {
      const term = batch.terms[i]!
      const type = batch.types[i]!
      if (run !== undefined && run.term === term && run.type === type) run.count++
      else runs.push((run = { term, type, count: 1 }))
    }
  return runs
}

function isLogType(type: number): type is LogType {
  return knownTypes.has(type)
}

function writeSafe(buffer: Buffer, number: number, at: number): void {
  const high = Math.floor(number / TWO_POW_32)
  buffer.writeUInt32BE(high, at)
  buffer.writeUInt32BE(number - high * TWO_POW_32, at + 4)
}

function readSafe(buffer: Buffer, at: number): number {
  const number = buffer.readUInt32BE(at) * TWO_POW_32 + buffer.readUInt32BE(at + 4)
  if (!isSafeNumber(number)) throw new DamagedRecord('it names a number above 2^53 - 1')
  return number
}
