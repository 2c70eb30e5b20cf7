import {
  type Configuration,
  type EntryBatch,
  type Index,
  LogType,
  type ServerId,
  type Term,
} from '@raftkit/interface'
import { decodeConfiguration, decodeEntry } from '@raftkit/wire'
import type { DiskImage } from '../disk/disk-image.ts'
import type { CommittedLog } from './committed-log.ts'
import type { Violate } from './violation.ts'
import { voterHalves } from './voter-halves.ts'

/** A configuration in a log. */
interface Known {
  readonly index: Index
  readonly term: Term
  /** The voters of each half; of the one half of most. */
  readonly voters: readonly ReadonlySet<ServerId>[]
}

/**
 * Changes of the members (§6, dissertation §4.1): two configurations that follow each other in a log have no two
 * majorities apart; a leader begins a change only when the one before it, and an entry of its own term, is committed.
 */
export class Configurations {
  readonly #violate: Violate
  readonly #committed: CommittedLog
  readonly #onAppended: (index: Index, term: Term, configuration: Configuration) => void
  readonly #seen = new Set<number>()

  /** `onAppended` is told of every configuration that comes into a log. */
  constructor(
    violate: Violate,
    committed: CommittedLog,
    onAppended: (index: Index, term: Term, configuration: Configuration) => void = () => {},
  ) {
    this.#violate = violate
    this.#committed = committed
    this.#onAppended = onAppended
  }

  /** A log gets these entries behind those it has. */
  append(server: ServerId, image: DiskImage, batches: readonly EntryBatch[]): void {
    let before: Known | undefined
    for (const batch of batches) {
      if (!batch.types.includes(LogType.configuration)) continue
      for (let index = batch.firstIndex; index <= batch.lastIndex; index++) {
        if (batch.typeAt(index) !== LogType.configuration) continue
        before ??= lastOf(image)
        const configuration = decodeConfiguration(decodeEntry(batch, index).data)
        const now = { index, term: batch.termAt(index), voters: halvesOf(configuration) }
        this.#onAppended(index, now.term, configuration)
        // A snapshot may overtake entries that it stands for on the way to the disk.
        if (before !== undefined && before.index < now.index) this.#follows(server, before, now)
        before = now
      }
    }
  }

  #follows(server: ServerId, before: Known, now: Known): void {
    if (!quorumsMeet(before.voters, now.voters))
      this.#violate(
        'configurations overlap',
        `${server}: a majority of ${list(before.voters)} (entry ${before.index}) and one of ${list(now.voters)} (entry ${now.index}) need not meet`,
      )
    // Only when the leader has it: later others may have it too, long after it was decided.
    const key = now.term * 1e9 + now.index
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    if (this.#committed.termAt(before.index) !== before.term)
      this.#violate(
        'configurations overlap',
        `${server}: configuration ${now.index} of term ${now.term} follows configuration ${before.index} of term ${before.term}, which is not committed`,
      )
    if (!this.#committed.hasCommittedIn(now.term))
      this.#violate(
        'configurations overlap',
        `${server}: configuration ${now.index} comes before an entry of its term ${now.term} is committed`,
      )
  }
}

/**
 * True when every quorum of one configuration has a member in common with every quorum of the other. A quorum holds a
 * majority of each half, so one pair of halves whose majorities meet is enough (§6).
 */
function quorumsMeet(
  before: readonly ReadonlySet<ServerId>[],
  now: readonly ReadonlySet<ServerId>[],
): boolean {
  return before.some((half) => now.some((other) => majoritiesMeet(half, other)))
}

/** True when every majority of `a` has a member in common with every majority of `b`. */
function majoritiesMeet(a: ReadonlySet<ServerId>, b: ReadonlySet<ServerId>): boolean {
  const common = [...a].filter((id) => b.has(id)).length
  const neededOf = (voters: ReadonlySet<ServerId>): number =>
    Math.max(0, Math.floor(voters.size / 2) + 1 - (voters.size - common))
  return neededOf(a) + neededOf(b) > common
}

/** The configuration that a disk had last. */
function lastOf(image: DiskImage): Known | undefined {
  for (let index = image.lastIndex; index >= image.firstIndex && index > 0; index--) {
    const entry = image.entry(index)
    if (entry?.type !== LogType.configuration) continue
    if (entry.isDamaged === true) return undefined
    return { index, term: entry.term, voters: halvesOf(image.configurationAt(index)) }
  }
  const meta = image.snapshots[0]?.meta
  if (meta === undefined) return undefined
  // The term of its entry is compacted away; it was committed, so the snapshot's own stands for it.
  return { index: meta.index, term: meta.term, voters: halvesOf(meta.configuration) }
}

function halvesOf(configuration: Configuration): readonly ReadonlySet<ServerId>[] {
  return voterHalves(configuration).map((half) => new Set(half.map(({ id }) => id)))
}

function list(halves: readonly ReadonlySet<ServerId>[]): string {
  return halves.map((ids) => `{${[...ids].join(', ')}}`).join(' and ')
}
