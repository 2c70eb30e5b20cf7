// The disk of a simulated server: writes become durable in order, one at a time, when the test says so. A crash
// loses those that are not.
import type { HardState, Index, IndexedConfiguration, Term } from '@raftkit/interface/protocol'

/** An entry with its payload, which consensus never sees. */
export interface SimulatedEntry {
  readonly index: Index
  readonly term: Term
  readonly value: string
  readonly configuration?: IndexedConfiguration
}

/** A state machine's state: how far it got and a digest of everything it applied. */
export interface MachineState {
  readonly index: Index
  readonly term: Term
  readonly digest: string
  readonly configuration: IndexedConfiguration
}

export type Write =
  | { readonly type: 'hard-state'; readonly sequence: number; readonly hardState: HardState }
  | { readonly type: 'append'; readonly entries: readonly SimulatedEntry[] }
  | { readonly type: 'truncate'; readonly from: Index }
  | { readonly type: 'compact'; readonly to: Index }
  | { readonly type: 'save-snapshot'; readonly state: MachineState }
  | { readonly type: 'receive-snapshot'; readonly state: MachineState }
  | {
      readonly type: 'reset-log'
      readonly requestId: number
      readonly keepAfter: Index | undefined
    }

export const EMPTY_STATE: MachineState = {
  index: 0,
  term: 0,
  digest: '',
  configuration: { configuration: { servers: [] }, index: 0 },
}

export class SimulatedDisk {
  hardState: HardState = { term: 0 }
  snapshot: MachineState = EMPTY_STATE
  readonly entries: Map<Index, SimulatedEntry> = new Map()
  /** Writes under way, oldest first. */
  pending: Write[] = []

  get firstIndex(): Index {
    return this.entries.size === 0 ? 0 : Math.min(...this.entries.keys())
  }

  get lastIndex(): Index {
    return this.entries.size === 0 ? 0 : Math.max(...this.entries.keys())
  }

  /** True when a crash could not take the entry back: it is in the log or in the snapshot. */
  holds(index: Index, term: Term): boolean {
    return index <= this.snapshot.index || this.entries.get(index)?.term === term
  }

  /** Makes the oldest write durable. */
  complete(): Write | undefined {
    const write = this.pending.shift()
    if (write !== undefined) this.#apply(write)
    return write
  }

  /** Power is lost: what is under way never happened. */
  crash(): void {
    this.pending = []
  }

  #apply(write: Write): void {
    switch (write.type) {
      case 'hard-state':
        this.hardState = write.hardState
        break
      case 'append':
        for (const entry of write.entries) this.#append(entry)
        break
      case 'truncate':
        this.#remove((index) => index >= write.from)
        break
      case 'compact':
        this.#remove((index) => index <= write.to)
        break
      case 'save-snapshot':
      case 'receive-snapshot':
        if (write.state.index > this.snapshot.index) this.snapshot = write.state
        break
      case 'reset-log':
        this.#remove((index) => write.keepAfter === undefined || index <= write.keepAfter)
    }
  }

  #append(entry: SimulatedEntry): void {
    if (this.entries.size > 0 && !this.entries.has(entry.index - 1))
      throw new Error(`a gap in the log on disk before entry ${entry.index}`)
    if (this.entries.has(entry.index))
      throw new Error(`entry ${entry.index} is written over another one`)
    this.entries.set(entry.index, entry)
  }

  #remove(isGone: (index: Index) => boolean): void {
    for (const index of this.entries.keys()) if (isGone(index)) this.entries.delete(index)
  }
}
