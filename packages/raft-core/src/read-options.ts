import { RaftError } from '@raftkit/interface'
import type { WaitOptions } from './runtime/calls/caller.ts'
import type { ReadKind } from './runtime/calls/reads.ts'

/**
 * How new the state must be that a read sees.
 * `linearizable`: it has every command that was acknowledged before the call. The leader proves that it still leads by a
 * round of heartbeats, which readers share; another server asks it for the index to wait for (dissertation §6.4).
 * `lease`: the same without a round while the leader's lease holds (§6.4.1). It rests on clocks that run at about the
 * same speed (within a tenth), on equal timeouts at all servers, and on voters that are all raftkit; where that is not
 * so, or after a pause of the leader's event loop, a round is made as for `linearizable`.
 * `bounded`: it has every command that was acknowledged more than `maxStalenessMs` before the call, by the clock of this
 * server. That is known from the reads that asked before, here: while one of them was asked for within that time, and is
 * applied, nobody is asked; otherwise this read asks as a `linearizable` one does.
 * `stale`: whatever this server has; nobody is asked, and a removed server answers too. Reads of one run of a server never
 * go back; after a restart they may, until what is committed is applied again.
 * The last two may show a restored snapshot that is not committed yet. None sees a state machine that a snapshot is just
 * replacing: it waits.
 */
export type Consistency = 'linearizable' | 'lease' | 'bounded' | 'stale'

/** How a read is made. */
export interface ReadOptions extends WaitOptions {
  /** Default `linearizable`. */
  readonly consistency?: Consistency
  /** For `bounded`, and needed there: milliseconds, above 0. */
  readonly maxStalenessMs?: number
}

/** What to wait for before the read; undefined for nothing. `staleness` tells how old the state may be, in ms. */
export function readKindOf(
  { consistency = 'linearizable', maxStalenessMs }: ReadOptions,
  staleness: () => number,
): ReadKind | undefined {
  switch (consistency) {
    case 'linearizable':
      return 'applied'
    case 'lease':
      return 'applied-on-lease'
    case 'bounded':
      if (maxStalenessMs !== undefined && maxStalenessMs > 0)
        return staleness() <= maxStalenessMs ? undefined : 'applied'
      throw new RaftError(
        'RAFT_INVALID_ARGUMENT',
        `maxStalenessMs is ${String(maxStalenessMs)}, a bounded read needs a number of milliseconds above 0`,
      )
    case 'stale':
      return undefined
    default:
      throw new RaftError(
        'RAFT_INVALID_ARGUMENT',
        `consistency is ${String(consistency)}, it must be linearizable, lease, bounded or stale`,
      )
  }
}
