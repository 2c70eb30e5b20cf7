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

/** Bytes that a reader gets at once. */
const CHUNK_BYTES = 4096

/** Snapshots of one process on a simulated disk. A snapshot is there when its last write is durable, never before. */
export class SimulatedSnapshotStore implements SnapshotStore {
  readonly #disk: SimulatedDisk
  readonly #process: Process

  constructor(disk: SimulatedDisk, process: Process) {
    this.#disk = disk
    this.#process = process
  }

  async create(description: SnapshotDescription): Promise<SnapshotSink> {
    return new Sink(this.#disk, this.#process, description)
  }

  list(): Promise<readonly SnapshotMeta[]> {
    const { image } = this.#disk
    return this.#disk.read(this.#process, () => image.snapshots.map(({ meta }) => meta))
  }

  open(id: string): Promise<OpenSnapshot> {
    const disk = this.#disk
    const process = this.#process
    return disk.read(process, () => {
      const found = disk.image.snapshots.find(({ meta }) => meta.id === id)
      if (found === undefined)
        throw new RaftError('RAFT_SNAPSHOT_NOT_FOUND', `there is no snapshot '${id}'`)
      const { meta, state } = found
      return { meta, state: chunksOf(state, disk, process), close: async () => {} }
    })
  }
}

async function* chunksOf(
  state: Uint8Array,
  disk: SimulatedDisk,
  process: Process,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let place = 0; place < state.length; place += CHUNK_BYTES)
    yield await disk.read(process, () => state.slice(place, place + CHUNK_BYTES))
}

class Sink implements SnapshotSink {
  readonly id: string
  readonly #disk: SimulatedDisk
  readonly #process: Process
  readonly #description: SnapshotDescription
  #chunks: Uint8Array[] | undefined = []

  constructor(disk: SimulatedDisk, process: Process, description: SnapshotDescription) {
    this.id = `${description.term}-${description.index}-${disk.nextSnapshot()}`
    this.#disk = disk
    this.#process = process
    this.#description = description
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
    await this.#disk.write(this.#process, 'snapshot', what, () =>
      this.#disk.image.keep({ meta, state }),
    )
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
