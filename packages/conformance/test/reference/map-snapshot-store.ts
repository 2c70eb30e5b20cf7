// A snapshot store as plain as can be: what the suite holds true.

import { RaftError } from '@raftkit/interface'
import type {
  OpenSnapshot,
  SnapshotDescription,
  SnapshotMeta,
  SnapshotSink,
  SnapshotStore,
} from '@raftkit/interface'

/** A finished snapshot. */
export interface StoredSnapshot {
  readonly meta: SnapshotMeta
  bytes: Uint8Array
  corrupt: boolean
}

export class MapSnapshotStore implements SnapshotStore {
  /** Newest first. */
  stored: StoredSnapshot[]
  readonly retain = 3
  static #created = 0

  constructor(stored: readonly StoredSnapshot[] = []) {
    this.stored = [...stored]
  }

  async create(description: SnapshotDescription): Promise<SnapshotSink> {
    return new MapSink(this, `snapshot-${++MapSnapshotStore.#created}`, description)
  }

  async list(): Promise<readonly SnapshotMeta[]> {
    return this.stored.map(({ meta }) => meta)
  }

  async open(id: string): Promise<OpenSnapshot> {
    const found = this.find(id)
    if (found.corrupt) throw new RaftError('RAFT_SNAPSHOT_CORRUPT', `${id} is damaged`)
    return { meta: found.meta, state: pieces(found.bytes), close: async () => {} }
  }

  find(id: string): StoredSnapshot {
    const found = this.stored.find(({ meta }) => meta.id === id)
    if (!found) throw new RaftError('RAFT_SNAPSHOT_NOT_FOUND', `no snapshot ${id}`)
    return found
  }

  keep(snapshot: StoredSnapshot): void {
    this.stored.unshift(snapshot)
    this.stored.sort((a, b) => b.meta.term - a.meta.term || b.meta.index - a.meta.index)
    this.stored.length = Math.min(this.stored.length, this.retain)
  }
}

/** Writes one snapshot. */
export class MapSink implements SnapshotSink {
  readonly id: string
  readonly store: MapSnapshotStore
  readonly description: SnapshotDescription
  chunks: Uint8Array[] = []
  ended = false

  constructor(store: MapSnapshotStore, id: string, description: SnapshotDescription) {
    this.store = store
    this.id = id
    this.description = description
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.mustBeOpen()
    this.chunks.push(chunk.slice())
  }

  async close(): Promise<SnapshotMeta> {
    this.mustBeOpen()
    this.ended = true
    const snapshot = this.finished()
    this.store.keep(snapshot)
    return snapshot.meta
  }

  async cancel(): Promise<void> {
    this.ended = true
  }

  /** What would be kept now. */
  finished(): StoredSnapshot {
    const bytes = new Uint8Array(Buffer.concat(this.chunks))
    const meta = { id: this.id, version: 1, ...this.description, size: bytes.length }
    return { meta, bytes, corrupt: false }
  }

  mustBeOpen(): void {
    if (this.ended) throw new RaftError('RAFT_SNAPSHOT_FAILED', `${this.id} has ended`)
  }
}

export async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let place = 0; place < bytes.length; place += 65_536)
    yield bytes.slice(place, place + 65_536)
}
