import { RaftError } from '@raftkit/interface'
import type {
  OpenSnapshot,
  SnapshotDescription,
  SnapshotMeta,
  SnapshotSink,
  SnapshotStore,
} from '@raftkit/interface'

/**
 * Takes snapshots and forgets them; `list` is always empty. For tests and measurements only: a server that
 * compacts its log after such a snapshot has lost the compacted part for good.
 */
export class DiscardSnapshotStore implements SnapshotStore {
  #created = 0

  async create(description: SnapshotDescription): Promise<SnapshotSink> {
    return new DiscardSink(
      `${description.term}-${description.index}-${++this.#created}`,
      description,
    )
  }

  async list(): Promise<readonly SnapshotMeta[]> {
    return []
  }

  /** Always rejects with `RAFT_SNAPSHOT_NOT_FOUND`. */
  async open(id: string): Promise<OpenSnapshot> {
    throw new RaftError(
      'RAFT_SNAPSHOT_NOT_FOUND',
      `there is no snapshot '${id}': this store discards them; use another store to keep snapshots`,
      { details: { id } },
    )
  }
}

class DiscardSink implements SnapshotSink {
  readonly id: string
  readonly #description: SnapshotDescription
  #size = 0
  #ended = false

  constructor(id: string, description: SnapshotDescription) {
    this.id = id
    this.#description = description
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#mustBeOpen()
    this.#size += chunk.length
  }

  async close(): Promise<SnapshotMeta> {
    this.#mustBeOpen()
    this.#ended = true
    const { index, term, configuration, configurationIndex } = this.#description
    return {
      id: this.id,
      version: 1,
      index,
      term,
      configuration,
      configurationIndex,
      size: this.#size,
    }
  }

  async cancel(): Promise<void> {
    this.#ended = true
  }

  #mustBeOpen(): void {
    if (this.#ended)
      throw new RaftError(
        'RAFT_SNAPSHOT_FAILED',
        `snapshot '${this.id}' was closed or cancelled; create a new one`,
        { details: { id: this.id } },
      )
  }
}
