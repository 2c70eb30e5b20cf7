// The stream in which a server of another kind hands over its log (docs/formats.md, "Log export").
import { crc32 } from 'node:zlib'
import { EntryBatch, isSafeNumber, LogType, RaftError } from '@raftkit/interface'
import type { HardState, Index, Term } from '@raftkit/interface'

/** One record of an export. */
export type ExportRecord =
  | { readonly kind: 'state'; readonly hardState: HardState }
  | { readonly kind: 'entries'; readonly entries: EntryBatch }
  | { readonly kind: 'value'; readonly name: string; readonly value: Uint8Array }
  | { readonly kind: 'end'; readonly count: number; readonly lastIndex: Index }

const MAGIC = Buffer.from('RAFTLOG\x01', 'latin1')
const HEAD_BYTES = 5
const CHECKSUM_BYTES = 4
const ENTRIES_HEAD_BYTES = 12
const ENTRY_BYTES = 13
const TWO_POW_32 = 0x1_0000_0000

const knownTypes: ReadonlySet<number> = new Set(Object.values(LogType))

/**
 * The records of an export, each checked, one in memory at a time. Throws `RAFT_DECODE_FAILED` for bytes that are not
 * an export, `RAFT_LIMIT_EXCEEDED` for a record above `maxRecordBytes`. Ends when the bytes do: whether the end
 * record came is for the caller to see.
 */
export async function* readExport(
  source: AsyncIterable<Uint8Array>,
  maxRecordBytes: number,
): AsyncGenerator<ExportRecord, void, undefined> {
  const bytes = new ByteReader(source)
  try {
    yield* readRecords(bytes, maxRecordBytes)
  } finally {
    await bytes.close()
  }
}

async function* readRecords(
  bytes: ByteReader,
  maxRecordBytes: number,
): AsyncGenerator<ExportRecord, void, undefined> {
  const magic = await bytes.take(MAGIC.length)
  if (magic === undefined || !magic.equals(MAGIC))
    throw damaged('it does not begin as an export of format 1 does')
  for (;;) {
    const head = await bytes.take(HEAD_BYTES)
    if (head === undefined) return
    const length = head.readUInt32BE(1)
    if (length > maxRecordBytes)
      throw new RaftError(
        'RAFT_LIMIT_EXCEEDED',
        `the export has a record of ${length} bytes, more than the ${maxRecordBytes} allowed: raise maxRecordBytes`,
        { details: { length, maxRecordBytes } },
      )
    const rest = await bytes.take(length + CHECKSUM_BYTES)
    if (rest === undefined) throw damaged('it ends in the middle of a record')
    const payload = rest.subarray(0, length)
    if (crc32(payload, crc32(head)) !== rest.readUInt32BE(length))
      throw damaged('the checksum of a record does not match')
    yield decodeRecord(head[0]!, payload)
  }
}

/** What to throw for bytes that are not an export. */
export function damaged(what: string): RaftError {
  return new RaftError(
    'RAFT_DECODE_FAILED',
    `the export cannot be read: ${what}. Nothing was imported; export again`,
  )
}

function decodeRecord(kind: number, payload: Buffer): ExportRecord {
  switch (kind) {
    case 1:
      return { kind: 'state', hardState: decodeHardState(payload) }
    case 2:
      return { kind: 'entries', entries: decodeEntries(payload) }
    case 3:
      return { kind: 'value', ...decodeValue(payload) }
    case 4:
      if (payload.length !== 16) throw damaged('its end record has another length')
      return { kind: 'end', count: safeAt(payload, 0), lastIndex: safeAt(payload, 8) }
    default:
      throw damaged(`it has a record of the unknown kind ${kind}`)
  }
}

function decodeHardState(payload: Buffer): HardState {
  const state = parse(payload)
  if (!isSafeNumber(state['term'])) throw damaged('its term is not one')
  const term: Term = state['term']
  const vote = state['votedFor']
  if (vote === undefined) return { term }
  if (!isObject(vote)) throw damaged('its vote is not one')
  const { id, address } = vote
  if (typeof id !== 'string' || typeof address !== 'string') throw damaged('its vote is not one')
  return { term, votedFor: { id, address } }
}

function parse(payload: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(payload.toString('utf8'))
  } catch {
    throw damaged('its term and vote are not JSON')
  }
  if (!isObject(value)) throw damaged('its term and vote are not an object')
  return value
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function decodeEntries(payload: Buffer): EntryBatch {
  if (payload.length < ENTRIES_HEAD_BYTES) throw damaged('a record of entries is too short')
  const firstIndex = safeAt(payload, 0)
  const count = payload.readUInt32BE(8)
  const start = ENTRIES_HEAD_BYTES + count * ENTRY_BYTES
  if (count === 0 || firstIndex === 0 || start > payload.length)
    throw damaged('the table of a record of entries is not one')
  const terms: Term[] = []
  const types: LogType[] = []
  const offsets = [start]
  for (let i = 0, at = ENTRIES_HEAD_BYTES; i < count; i++, at += ENTRY_BYTES) {
    const type = payload[at + 8]!
    if (!isLogType(type)) throw damaged(`it names the unknown entry type ${type}`)
    terms.push(safeAt(payload, at))
    types.push(type)
    offsets.push(offsets[i]! + payload.readUInt32BE(at + 9))
  }
  if (offsets[count] !== payload.length) throw damaged('the sizes of a record of entries are wrong')
  return new EntryBatch(firstIndex, payload, offsets, terms, types)
}

function decodeValue(payload: Buffer): { readonly name: string; readonly value: Uint8Array } {
  if (payload.length < 2 || payload.length < 2 + payload.readUInt16BE(0))
    throw damaged('a record of a value is too short')
  const end = 2 + payload.readUInt16BE(0)
  return { name: payload.toString('utf8', 2, end), value: new Uint8Array(payload.subarray(end)) }
}

function isLogType(type: number): type is LogType {
  return knownTypes.has(type)
}

function safeAt(payload: Buffer, at: number): number {
  const number = payload.readUInt32BE(at) * TWO_POW_32 + payload.readUInt32BE(at + 4)
  if (!isSafeNumber(number)) throw damaged('it names a number above 2^53 - 1')
  return number
}

/** Takes exact numbers of bytes from chunks of any size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #held: Uint8Array[] = []
  #heldBytes = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  /** The next `count` bytes; undefined when there are none. Throws when there are some, but fewer. */
  async take(count: number): Promise<Buffer | undefined> {
    while (this.#heldBytes < count) {
      const next = await this.#chunks.next()
      if (next.done === true) {
        if (this.#heldBytes === 0) return undefined
        throw damaged('it ends in the middle of a record')
      }
      this.#held.push(next.value)
      this.#heldBytes += next.value.byteLength
    }
    const all = Buffer.concat(this.#held, this.#heldBytes)
    this.#held = all.length > count ? [all.subarray(count)] : []
    this.#heldBytes = all.length - count
    return all.subarray(0, count)
  }

  /** Lets go of the source: whoever feeds it need not wait. */
  async close(): Promise<void> {
    await this.#chunks.return?.()
  }
}
