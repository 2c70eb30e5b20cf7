// What a restarted server knows to be committed.
import { type Mutant, ordinary, tested } from '../mutant.ts'

const core = (file: string): string => `packages/raft-core/src/${file}.ts`

export const restarts: readonly Mutant[] = [
  {
    name: 'commit-index-of-entries-to-be-removed',
    broken:
      'the store is told that entries are committed which lie in the place of committed ones until a truncation is written',
    source: 'log-writer: a truncation behind the write',
    edits: [
      {
        file: core('runtime/log/log-writer'),
        find: 'Math.min(this.#commitIndex, last)',
        replace: 'Math.min(this.#commitIndex, batches.at(-1)!.lastIndex + 0 * last)',
      },
    ],
    hunters: [tested('raft-core', 'test/runtime/log/log-writer.test.ts')],
  },
  {
    name: 'truncated-commit-index-comes-back',
    broken: 'entries that follow a truncation count as committed because those before them were',
    source: 'LogStore.commitIndex: it stays down',
    edits: [
      {
        file: 'packages/store-level/src/log/commit-record.ts',
        find: 'index === this.#written ? []',
        replace: 'index <= this.#written ? []',
      },
    ],
    hunters: [tested('store-level', 'test/conformance.test.ts')],
  },
  {
    name: 'replayed-membership-lost',
    broken: 'a replay commits the entries and not the configurations in them',
    source: 'hashicorp/raft: RestoreCommittedLogs skips configuration entries',
    edits: [
      {
        file: core('consensus/consensus'),
        find: 'commitTo(state, start.commitIndex)',
        replace: 'state.commitIndex = start.commitIndex',
      },
    ],
    hunters: [tested('raft-core', 'test/raft/restore-committed.test.ts')],
  },
  {
    name: 'everything-in-the-log-replayed',
    broken: 'a restarted server applies what was appended, committed or not',
    source: 'Raft §5.4.2; hashicorp/raft #549',
    edits: [
      {
        file: core('runtime/start/start-up'),
        find: 'Math.min(known, bounds.lastIndex)',
        replace: 'Math.max(known, bounds.lastIndex)',
      },
    ],
    hunters: [tested('raft-core', 'test/raft/restore-committed.test.ts'), ordinary(100)],
  },
]
