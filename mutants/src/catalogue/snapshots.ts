// Snapshots and what leaves the log (§7).
import { type Mutant, ordinary, targeted, tested } from '../mutant.ts'

const consensus = (file: string): string => `packages/raft-core/src/consensus/${file}.ts`
const runtime = (file: string): string => `packages/raft-core/src/runtime/${file}.ts`

export const snapshots: readonly Mutant[] = [
  {
    name: 'snapshot-without-configuration',
    broken: 'a snapshot holds no configuration',
    source: 'etcd-io/raft e515a67; openraft dba24036',
    edits: [
      {
        file: runtime('snapshots/snapshotter'),
        find: 'configuration: configuration.configuration,',
        replace: 'configuration: { servers: [] },',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'older-snapshot-installed',
    broken: 'a snapshot takes the state back to before the commit index',
    source: 'openraft 674e78aa, 21684bbd',
    edits: [
      {
        file: consensus('replication/snapshot-installation'),
        find: 'else if (snapshot.index <= state.commitIndex) {',
        replace: 'else if (snapshot.index < 0) {',
      },
    ],
    hunters: [
      tested('raft-core', 'test/consensus/replication/snapshot-installation.test.ts'),
      targeted('tiny', 150),
    ],
  },
  {
    name: 'snapshot-keeps-conflicting-suffix',
    broken: 'entries after a snapshot stay although they do not continue it',
    source: '§7, rule 7; hashicorp/raft #697',
    edits: [
      {
        file: consensus('replication/snapshot-installation'),
        find: 'const keepLogAfter = own === snapshot.term',
        replace: 'const keepLogAfter = own !== undefined',
      },
    ],
    hunters: [ordinary(300), targeted('tiny', 300)],
  },
  {
    name: 'snapshot-acknowledged-at-once',
    broken: 'a snapshot is acknowledged while it is being received',
    source: 'Figure 13; faults: snapshotBeforeDurable',
    edits: [
      {
        file: consensus('replication/snapshot-installation'),
        find: `state.effects.push({ type: 'install-snapshot', requestId, keepLogAfter })`,
        replace: `state.effects.push({ type: 'install-snapshot', requestId, keepLogAfter })\n    answerInstalled(state, requestId, true)`,
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'known-snapshot-acknowledged-before-durable',
    broken: 'a snapshot of entries that are here is acknowledged before the disk has them',
    source: 'faults: snapshotBeforeDurable',
    edits: [
      {
        file: consensus('replication/snapshot-installation'),
        find: 'snapshot.index > state.durableIndex ? last : undefined',
        replace: 'snapshot.index < 0 ? last : undefined',
      },
    ],
    hunters: [ordinary(400), targeted('tiny', 400)],
  },
  {
    name: 'compacted-past-snapshot',
    broken: 'entries leave the log that no snapshot covers',
    source: 'faults: compactPastApplied; E4',
    edits: [
      {
        file: consensus('replication/compaction'),
        find: 'let to = Math.min(log.snapshot.index, log.lastIndex - timing.trailingLogs)',
        replace: 'let to = Math.min(state.appliedIndex, log.lastIndex - timing.trailingLogs)',
      },
      {
        file: consensus('state/term-log'),
        find: 'invariant(to <= this.#snapshot.index, `only what a snapshot covers is compacted: ${to}`)',
        replace: '',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'compacted-before-snapshot-is-durable',
    broken: 'entries leave the log while the snapshot that covers them is still being written',
    source: 'faults: E4; etcd #6368',
    edits: [
      {
        file: runtime('snapshots/snapshotter'),
        find: 'const meta = await this.#save(captured)\n',
        replace:
          'onSaved({ ...captured, configuration: captured.configuration.configuration, configurationIndex: captured.configuration.index })\n      const meta = await this.#save(captured)\n',
      },
    ],
    hunters: [ordinary(200)],
  },
  {
    name: 'state-captured-while-applying',
    broken: 'a snapshot is taken while the state machine is in the middle of a command',
    source: 'openraft eed681d5',
    edits: [
      {
        file: runtime('state-machine/applier'),
        find: `return this.#exclusive.run(async () => {
      // It may have failed`,
        replace: `return Promise.resolve().then(async () => {
      // It may have failed`,
      },
    ],
    hunters: [ordinary(200)],
  },
  {
    name: 'pending-restore-not-saved',
    broken: 'a state machine that keeps its state misses a snapshot that came just before a crash',
    source: 'raftkit: found by reading; hashicorp/raft: NoSnapshotRestoreOnStart',
    edits: [
      {
        file: runtime('snapshots/snapshot-receiver'),
        find: 'if (keepsState) await savePendingRestore(log.writer, description.index)',
        replace: '',
      },
    ],
    hunters: [tested('raft-core', 'test/raft/restart.test.ts')],
  },
  {
    name: 'failed-state-machine-captured',
    broken: 'a snapshot is taken of a state machine that failed in the middle of a command',
    source: 'faults: H10',
    edits: [
      {
        file: runtime('state-machine/applier'),
        find: `if (this.#hasFailed)
        throw`,
        replace: `if (this.#hasFailed && this.#target < 0)
        throw`,
      },
    ],
    hunters: [tested('raft-core', 'test/runtime/state-machine/applier.test.ts')],
  },
  {
    name: 'state-machine-not-held-in-a-turn',
    broken: 'who asks for a snapshot in the middle of a command gets it as of the entry before',
    source: 'raftkit: found by reading',
    edits: [
      {
        file: runtime('state-machine/applier'),
        find: 'this.#exclusive.hold(() => this.#applyOn())',
        replace: 'void this.#applyOn()',
      },
    ],
    hunters: [tested('raft-core', 'test/raft/state-machine.test.ts')],
  },
  {
    name: 'short-snapshot-accepted',
    broken: 'a snapshot of which bytes are missing is installed',
    source: 'Redis-Raft #654; hashicorp/raft: short read',
    edits: [
      {
        file: runtime('snapshots/snapshot-intake'),
        find: 'if (received !== size)',
        replace: 'if (received > size)',
      },
    ],
    hunters: [tested('raft-core', 'test/runtime/snapshots/snapshot-receiver.test.ts')],
  },
  {
    name: 'snapshot-floor-ignored',
    broken: 'a server that lost its newest snapshot starts from what is left',
    source: 'faults: F10, E3; NuRaft #185',
    edits: [
      {
        file: runtime('log/snapshot-floor'),
        find: 'if (lastIndex >= floor) return',
        replace: 'if (lastIndex >= 0) return',
      },
    ],
    hunters: [tested('raft-core', 'test/runtime/start/start-up.test.ts')],
  },
  {
    name: 'unreadable-snapshot-is-none',
    broken: 'a server whose snapshots cannot be read starts as if it had none',
    source: 'peers: regression 16; hashicorp/raft: tryRestoreSnapshot',
    edits: [
      {
        file: runtime('snapshots/snapshot-restore'),
        find: 'if (snapshots.length === 0) return undefined',
        replace: 'if (snapshots.length >= 0) return undefined',
      },
    ],
    hunters: [tested('raft-core', 'test/runtime/start/start-up.test.ts')],
  },
]
