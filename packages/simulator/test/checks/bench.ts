// What checks are tried on: logs, disks and numbers that no server would show them.
import {
  type Configuration,
  type EntryBatch,
  type Index,
  LogType,
  type RpcHeader,
  type Server,
  type SnapshotMeta,
  type Term,
} from '@raftkit/interface'
import { encodeConfiguration, encodeEntries } from '@raftkit/wire'
import { AcknowledgedCommands } from '../../src/checks/acknowledged-commands.ts'
import { AppliedLog } from '../../src/checks/applied-log.ts'
import { CommittedLog } from '../../src/checks/committed-log.ts'
import { Configurations } from '../../src/checks/configurations.ts'
import { Elections } from '../../src/checks/elections.ts'
import { EntryTree } from '../../src/checks/entry-tree.ts'
import { RestorePoints } from '../../src/checks/restore-points.ts'
import type { CheckName } from '../../src/checks/violation.ts'
import { DiskImage } from '../../src/disk/disk-image.ts'
import { Ledger } from '../../src/workload/ledger.ts'

export const VOTERS = votersOf('n1', 'n2', 'n3')

/** The configuration of {@link VOTERS}, as commits are given it. */
export const BY_VOTERS: readonly Configuration[] = [{ servers: VOTERS }]

/** Voters on their way from one half to the other. */
export function jointOf(before: readonly string[], after: readonly string[]): Configuration {
  return { servers: votersOf(...before), next: votersOf(...after) }
}

export const JOINT: Configuration = jointOf(['n1', 'n2'], ['n2', 'n3'])

/** The configuration of the bench. */
export const FIRST: Configuration = { servers: VOTERS }

function votersOf(...ids: string[]): Server[] {
  return ids.map((id) => ({ suffrage: 'voter', id, address: id }))
}

export function headerOf(id: string): RpcHeader {
  return { protocolVersion: 3, id, address: id }
}

/** One entry for each term, from `firstIndex` on. */
export function commands(firstIndex: Index, terms: readonly Term[], text = 'x'): EntryBatch[] {
  return terms.map((term, place) =>
    encodeEntries(firstIndex + place, term, [
      { type: LogType.command, data: new TextEncoder().encode(text) },
    ]),
  )
}

/** A configuration entry. */
export function configuration(index: Index, term: Term, ...ids: string[]): EntryBatch[] {
  return changeTo(index, term, { servers: votersOf(...ids) })
}

/** A configuration entry, of two halves perhaps. */
export function changeTo(index: Index, term: Term, to: Configuration): EntryBatch[] {
  const data = encodeConfiguration(to)
  return [encodeEntries(index, term, [{ type: LogType.configuration, data }])]
}

/** Everything that looks at a world, and what it found. */
export class Bench {
  /** The world's time. */
  now = 0
  readonly found: { readonly check: CheckName; readonly message: string }[] = []
  readonly images = new Map<string, DiskImage>(VOTERS.map(({ id }) => [id, new DiskImage()]))
  readonly violate = (check: CheckName, message: string): void => {
    this.found.push({ check, message })
  }
  readonly elections = new Elections(this.violate)
  readonly restores: RestorePoints = new RestorePoints()
  readonly committed: CommittedLog = new CommittedLog({
    violate: this.violate,
    restores: this.restores,
    tree: () => this.tree,
    holds: (id, index, term) => this.image(id).holds(index, term),
  })
  readonly tree = new EntryTree(this.violate, (index, term, previousTerm) =>
    this.committed.firstOfTerm(index, term, previousTerm),
  )
  readonly applied = new AppliedLog(this.violate)
  readonly acknowledged = new AcknowledgedCommands(
    this.violate,
    this.committed,
    (id, index, term) => this.image(id).holds(index, term),
    () => this.now,
  )
  readonly configurations = new Configurations(this.violate, this.committed)
  readonly ledger = new Ledger<string, string>(this.violate, () => 0)

  image(id: string): DiskImage {
    return this.images.get(id)!
  }

  /** The entries are durable on these disks. */
  append(ids: readonly string[], batches: readonly EntryBatch[]): void {
    for (const id of ids) {
      const image = this.image(id)
      this.tree.append(id, image, batches)
      this.configurations.append(id, image, batches)
      image.append(batches)
    }
  }

  /** The leader of `term` has the entries on all disks and commits them. */
  commit(firstIndex: Index, terms: readonly Term[]): void {
    this.append(['n1', 'n2', 'n3'], commands(firstIndex, terms))
    this.committed.commit('n1', firstIndex + terms.length - 1, terms.at(-1)!, BY_VOTERS)
  }
}

export function snapshotMeta(index: Index, term: Term): SnapshotMeta {
  return {
    id: `${term}-${index}`,
    index,
    term,
    configuration: { servers: VOTERS },
    configurationIndex: 1,
    version: 1,
    size: 0,
  }
}
