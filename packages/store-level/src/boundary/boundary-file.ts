import type { Index, Term } from '@raftkit/interface'
import type { Disk, DiskFile } from '../database/disk.ts'
import { DamagedRecord, numberIn, sealFields, textIn, unsealFields } from '../database/record.ts'
import type { RecordFields } from '../database/record.ts'

/**
 * What is known to be durable, as the boundary file holds it. The database must hold at least this much.
 */
export interface Boundary {
  /** The last entry of the log; 0 when nothing is promised of the log. */
  readonly lastIndex: Index
  readonly lastTerm: Term
  /** Checksum of the block that ends at `lastIndex`, and so of the log up to it. */
  readonly logChecksum: number
  readonly term: Term
  /** Checksum of the record of term and vote; 0 before there was one. */
  readonly hardStateChecksum: number
  /** How often term, vote and small values have changed. */
  readonly revision: number
}

/** A boundary that promises nothing. */
export const NO_BOUNDARY: Boundary = {
  lastIndex: 0,
  lastTerm: 0,
  logChecksum: 0,
  term: 0,
  hardStateChecksum: 0,
  revision: 0,
}

/** The format of stores that this version makes and reads. */
export const STORE_FORMAT = 1

/** Which store this is. */
export interface StoreIdentity {
  /** {@link STORE_FORMAT} of the version that made it. */
  readonly format: number
  /** Chosen at random when the store was made; the database holds it too. */
  readonly storeId: string
  /** The server that the store was made for. */
  readonly serverId?: string
}

/**
 *   offset  size  content
 *   0       4096  identity, written once
 *   4096    512   slot 0
 *   8192    512   slot 1
 *
 * Each is a length (2 bytes), a sealed record and zeros. The slots are written in turn and carry a counter: a write
 * that a crash tears leaves the other slot, which is older and promises no more.
 */
const PAGE_BYTES = 4096
const SLOT_BYTES = 512
const LENGTH_BYTES = 2

interface Slot {
  readonly counter: number
  readonly boundary: Boundary
}

/** The file beside the database that says what the database must hold. */
export class BoundaryFile {
  readonly identity: StoreIdentity
  /** What the file said when it was opened. */
  readonly found: Boundary
  readonly #file: DiskFile
  #counter: number

  private constructor(file: DiskFile, identity: StoreIdentity, slot: Slot) {
    this.#file = file
    this.identity = identity
    this.found = slot.boundary
    this.#counter = slot.counter
  }

  /** Makes the file at `path`, in one step, with a boundary that promises nothing. The caller syncs the directory. */
  static async create(disk: Disk, path: string, identity: StoreIdentity): Promise<void> {
    const file = await disk.openFile(`${path}.new`, 'create')
    try {
      const pages = new Uint8Array(2 * PAGE_BYTES + SLOT_BYTES)
      pages.set(framed('identity', { ...identity }, PAGE_BYTES))
      for (const counter of [0, 1])
        pages.set(framed('slot', { counter, ...NO_BOUNDARY }, SLOT_BYTES), slotOffset(counter))
      await file.write(pages, 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await disk.rename(`${path}.new`, path)
  }

  /** Opens the file at `path`; throws {@link DamagedRecord}. */
  static async open(disk: Disk, path: string): Promise<BoundaryFile> {
    const file = await disk.openFile(path, 'existing')
    try {
      const pages = new Uint8Array(2 * PAGE_BYTES + SLOT_BYTES)
      const size = await file.read(pages, 0)
      if (size < pages.length)
        throw new DamagedRecord(`it has only ${size} of ${pages.length} bytes`)
      return new BoundaryFile(file, readIdentity(pages), newestSlot(pages))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Resolves when the boundary is durable. Calls must not overlap. */
  async write(boundary: Boundary): Promise<void> {
    const counter = ++this.#counter
    const slot = framed('slot', { counter, ...boundary }, SLOT_BYTES)
    await this.#file.write(slot, slotOffset(counter))
    await this.#file.sync()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** Whether an identity is small enough for the file. */
export function identityFits(identity: StoreIdentity): boolean {
  return sealFields('identity', { ...identity }).length + LENGTH_BYTES <= PAGE_BYTES
}

function slotOffset(counter: number): number {
  return PAGE_BYTES * (1 + (counter % 2))
}

function framed(name: string, fields: RecordFields, size: number): Uint8Array {
  const sealed = sealFields(name, fields)
  const frame = new Uint8Array(size)
  new DataView(frame.buffer).setUint16(0, sealed.length)
  frame.set(sealed, LENGTH_BYTES)
  return frame
}

function unframed(name: string, frame: Uint8Array): RecordFields {
  const length = new DataView(frame.buffer, frame.byteOffset).getUint16(0)
  return unsealFields(name, frame.subarray(LENGTH_BYTES, LENGTH_BYTES + length))
}

function readIdentity(pages: Uint8Array): StoreIdentity {
  const fields = unframed('identity', pages.subarray(0, PAGE_BYTES))
  const identity = { format: numberIn(fields, 'format'), storeId: textIn(fields, 'storeId') }
  return fields['serverId'] === undefined
    ? identity
    : { ...identity, serverId: textIn(fields, 'serverId') }
}

function newestSlot(pages: Uint8Array): Slot {
  const slots = [0, 1].map((number) => readSlot(pages, number)).filter((slot) => slot !== undefined)
  const newest = slots.sort((a, b) => b.counter - a.counter)[0]
  if (newest === undefined) throw new DamagedRecord('neither of its slots is readable')
  return newest
}

function readSlot(pages: Uint8Array, number: number): Slot | undefined {
  const offset = slotOffset(number)
  try {
    const fields = unframed('slot', pages.subarray(offset, offset + SLOT_BYTES))
    return {
      counter: numberIn(fields, 'counter'),
      boundary: {
        lastIndex: numberIn(fields, 'lastIndex'),
        lastTerm: numberIn(fields, 'lastTerm'),
        logChecksum: numberIn(fields, 'logChecksum'),
        term: numberIn(fields, 'term'),
        hardStateChecksum: numberIn(fields, 'hardStateChecksum'),
        revision: numberIn(fields, 'revision'),
      },
    }
  } catch (error) {
    if (error instanceof DamagedRecord) return undefined
    throw error
  }
}
