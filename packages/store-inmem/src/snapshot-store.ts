import { RaftError } from '@raftkit/interface'
import type {
  Configuration,
  OpenSnapshot,
  Server,
  SnapshotDescription,
  SnapshotMeta,
  SnapshotSink,
  SnapshotStore,
} from '@raftkit/interface'
import { ByteBlocks } from './byte-blocks.ts'

/** hashicorp/raft's snapshot version. */
const SNAPSHOT_VERSION = 1

/** Options of {@link InmemSnapshotStore}. */
export interface InmemSnapshotStoreOptions {
  /** How many finished snapshots to keep, at least 1. Default 2. */
  readonly retain?: number
}

interface KeptSnapshot {
  readonly meta: SnapshotMeta
  readonly state: ByteBlocks
  readonly sequence: number
}

/** What a store holds; outlives the store object, see {@link InmemSnapshotStore.reopen}. */
interface Shelf {
  readonly retain: number
  /** Newest first. */
  kept: readonly KeptSnapshot[]
  sequence: number
}

/**
 * Snapshots in memory. Nothing survives the process. A snapshot is listed once its sink is closed, never before;
 * a cancelled one leaves nothing. An opened snapshot stays readable when newer ones push it out.
 */
export class InmemSnapshotStore implements SnapshotStore {
  #shelf: Shelf
  #detached = false

  constructor(options: InmemSnapshotStoreOptions = {}) {
    const retain = options.retain ?? 2
    if (!Number.isSafeInteger(retain) || retain < 1)
      throw new RaftError('RAFT_INVALID_CONFIG', `retain is ${retain}; it must be an integer >= 1`)
    this.#shelf = { retain, kept: [], sequence: 0 }
  }

  /**
   * A new store over the same finished snapshots, as a restarted server would find them. Sinks of this one that
   * are still open can no longer be finished.
   */
  reopen(): InmemSnapshotStore {
    this.#detached = true
    const store = new InmemSnapshotStore()
    store.#shelf = this.#shelf
    return store
  }

  async create(description: SnapshotDescription): Promise<SnapshotSink> {
    this.#mustBeAttached()
    const sequence = ++this.#shelf.sequence
    const id = `${description.term}-${description.index}-${sequence}`
    return new InmemSink(id, (state) => this.#keep(id, sequence, description, state))
  }

  async list(): Promise<readonly SnapshotMeta[]> {
    this.#mustBeAttached()
    return this.#shelf.kept.map((snapshot) => snapshot.meta)
  }

  async open(id: string): Promise<OpenSnapshot> {
    this.#mustBeAttached()
    const found = this.#shelf.kept.find((snapshot) => snapshot.meta.id === id)
    if (!found)
      throw new RaftError(
        'RAFT_SNAPSHOT_NOT_FOUND',
        `there is no snapshot '${id}'; newer ones may have pushed it out: list() names those that are kept`,
        { details: { id } },
      )
    return { meta: found.meta, state: found.state.read(), close: async () => {} }
  }

  #keep(id: string, sequence: number, of: SnapshotDescription, state: ByteBlocks): SnapshotMeta {
    this.#mustBeAttached()
    const meta: SnapshotMeta = Object.freeze({
      id,
      version: SNAPSHOT_VERSION,
      index: of.index,
      term: of.term,
      configuration: copyOf(of.configuration),
      configurationIndex: of.configurationIndex,
      size: state.size,
    })
    const all = [...this.#shelf.kept, { meta, state, sequence }]
    this.#shelf.kept = all.toSorted(newestFirst).slice(0, this.#shelf.retain)
    return meta
  }

  #mustBeAttached(): void {
    if (this.#detached)
      throw new RaftError(
        'RAFT_STORE_CLOSED',
        'this snapshot store was reopened elsewhere; use the store that reopen() returned',
      )
  }
}

class InmemSink implements SnapshotSink {
  readonly id: string
  readonly #keep: (state: ByteBlocks) => SnapshotMeta
  #state: ByteBlocks | undefined = new ByteBlocks()

  constructor(id: string, keep: (state: ByteBlocks) => SnapshotMeta) {
    this.id = id
    this.#keep = keep
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#open('write to').append(chunk)
  }

  async close(): Promise<SnapshotMeta> {
    const state = this.#open('close')
    this.#state = undefined
    return this.#keep(state)
  }

  async cancel(): Promise<void> {
    this.#state = undefined
  }

  #open(attempt: string): ByteBlocks {
    if (!this.#state)
      throw new RaftError(
        'RAFT_SNAPSHOT_FAILED',
        `cannot ${attempt} snapshot '${this.id}': it was closed or cancelled; create a new one`,
        { details: { id: this.id } },
      )
    return this.#state
  }
}

/** hashicorp/raft's order: term, then index, then age. */
function newestFirst(a: KeptSnapshot, b: KeptSnapshot): number {
  return b.meta.term - a.meta.term || b.meta.index - a.meta.index || b.sequence - a.sequence
}

function copyOf({ servers, next }: Configuration): Configuration {
  if (next === undefined) return Object.freeze({ servers: frozen(servers) })
  return Object.freeze({ servers: frozen(servers), next: frozen(next) })
}

function frozen(servers: readonly Server[]): readonly Server[] {
  return Object.freeze(servers.map((server) => Object.freeze({ ...server })))
}
