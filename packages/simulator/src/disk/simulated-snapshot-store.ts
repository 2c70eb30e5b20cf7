import { RaftError } from '@raftkit/interface'
import type {
  OpenSnapshot,
  SnapshotDescription,
  SnapshotMeta,
  SnapshotSink,
  SnapshotStore,
} from '@raftkit/interface'
import type { Process } from '../server/process.ts'
import type { SimulatedDisk } from './simulated-disk.ts'

/** Bytes that a reader gets at once, unless it is said otherwise. */
const CHUNK_BYTES = 4096

/** Told of a snapshot at the moment in which it becomes durable. */
export type SnapshotObserver = (meta: SnapshotMeta) => void

/** Snapshots of one process on a simulated disk. A snapshot is there when its last write is durable, never before. */
export class SimulatedSnapshotStore implements SnapshotStore {
  readonly #disk: SimulatedDisk
  readonly #process: Process
  readonly #chunkBytes: number
  readonly #onKept: SnapshotObserver

  constructor(
    disk: SimulatedDisk,
    process: Process,
    chunkBytes: number = CHUNK_BYTES,
    onKept: SnapshotObserver = () => {},
  ) {
    this.#disk = disk
    this.#process = process
    this.#chunkBytes = chunkBytes
    this.#onKept = onKept
  }

  async create(description: SnapshotDescription): Promise<SnapshotSink> {
    return new Sink(this.#disk, this.#process, description, this.#onKept)
  }

  list(): Promise<readonly SnapshotMeta[]> {
    const { image } = this.#disk
    return this.#disk.read(this.#process, () => image.snapshots.map(({ meta }) => meta))
  }

  open(id: string): Promise<OpenSnapshot> {
    const disk = this.#disk
    const process = this.#process
    const chunkBytes = this.#chunkBytes
    return disk.read(process, () => {
      const found = disk.image.snapshots.find(({ meta }) => meta.id === id)
      if (found === undefined)
        throw new RaftError('RAFT_SNAPSHOT_NOT_FOUND', `there is no snapshot '${id}'`)
      const { meta, state } = found
      if (found.isDamaged === true)
        throw new RaftError(
          'RAFT_SNAPSHOT_CORRUPT',
          `the checksum of snapshot '${id}' does not fit: the disk is damaged`,
        )
      return { meta, state: chunksOf(state, chunkBytes, disk, process), close: async () => {} }
    })
  }
}

async function* chunksOf(
  state: Uint8Array,
  chunkBytes: number,
  disk: SimulatedDisk,
  process: Process,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let place = 0; place < state.length; place += chunkBytes)
    yield await disk.read(process, () => state.slice(place, place + chunkBytes))
}

class Sink implements SnapshotSink {
  readonly id: string
  readonly #disk: SimulatedDisk
  readonly #process: Process
  readonly #description: SnapshotDescription
  readonly #onKept: SnapshotObserver
  #chunks: Uint8Array[] | undefined = []

  constructor(
    disk: SimulatedDisk,
    process: Process,
    description: SnapshotDescription,
    onKept: SnapshotObserver,
  ) {
    this.id = `${description.term}-${description.index}-${disk.nextSnapshot()}`
    this.#disk = disk
    this.#process = process
    this.#description = description
    this.#onKept = onKept
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#open('write to').push(chunk.slice())
    await this.#disk.read(this.#process, () => {})
  }

  async close(): Promise<SnapshotMeta> {
    const chunks = this.#open('close')
    this.#chunks = undefined
    const state = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
    let place = 0
    for (const chunk of chunks) {
      state.set(chunk, place)
      place += chunk.length
    }
    const meta = { ...structuredClone(this.#description), id: this.id, version: 1, size: place }
    const what = `snapshot of ${meta.index} in term ${meta.term}`
    const { image } = this.#disk
    await this.#disk.write(this.#process, 'snapshot', what, () => {
      this.#onKept(meta)
      image.keep({ meta, state })
    })
    return meta
  }

  async cancel(): Promise<void> {
    this.#chunks = undefined
  }

  #open(attempt: string): Uint8Array[] {
    if (this.#chunks !== undefined) return this.#chunks
    throw new RaftError(
      'RAFT_SNAPSHOT_FAILED',
      `cannot ${attempt} snapshot '${this.id}': it was closed or cancelled`,
    )
  }
}
