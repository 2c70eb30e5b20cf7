// What callers are told, and what is left when they have gone.
import { type Mutant, ordinary, tested } from '../mutant.ts'

const runtime = (file: string): string => `packages/raft-core/src/runtime/${file}.ts`

export const callers: readonly Mutant[] = [
  {
    name: 'waiter-not-failed-on-step-down',
    broken: 'a caller whose leader steps down goes on waiting',
    source: 'openraft 43dd8b6f; hashicorp/raft #498',
    edits: [
      {
        file: runtime('effect-execution'),
        find: 'return lanes.proposals.orphan(lanes.applier.commitIndex)',
        replace: 'return',
      },
    ],
    hunters: [ordinary(500)],
  },
  {
    name: 'waiter-matched-by-index-only',
    broken:
      "a caller whose leader steps down goes on waiting, and is given the answer to the entry that took its command's place",
    source: 'openraft 43dd8b6f; faults: I2',
    edits: [
      {
        file: runtime('calls/proposals'),
        find: 'if (index >= from && batch.termAt(index) === term)',
        replace: 'if (index >= from)',
      },
      {
        file: runtime('effect-execution'),
        find: 'return lanes.proposals.orphan(lanes.applier.commitIndex)',
        replace: 'return',
      },
    ],
    hunters: [ordinary(200)],
  },
  {
    name: 'unknown-outcome-called-not-committed',
    broken: 'a command that may still take effect is said to have none',
    source: 'faults: I1; FoundationDB: commit_unknown_result',
    edits: [
      {
        file: runtime('calls/proposals'),
        find: `orphan(committed: Index): void {\n    const error = leadershipLost('unknown')`,
        replace: `orphan(committed: Index): void {\n    const error = leadershipLost('not-committed')`,
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'budget-leaks',
    broken: 'commands that fail keep their place among those that wait',
    source: 'etcd-io/raft a370b6f',
    edits: [
      {
        file: runtime('calls/proposals'),
        find: 'if (callers.length > 0) this.admission.release(callers.length, weight)',
        replace: 'if (callers.length < 0) this.admission.release(callers.length, weight)',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'refused-read-never-ends',
    broken: 'a read that is refused is not told so',
    source: 'openraft dd29c2e9, 1d5cc706',
    edits: [
      {
        file: runtime('calls/reads'),
        find: 'for (const { caller } of readers) this.#reject(caller, error)',
        replace: 'void error; void readers',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'write-error-swallowed',
    broken: 'a write that failed counts as done',
    source: "faults: F4, F1; ATC '20: fsync failures",
    edits: [
      {
        file: runtime('log/log-writer'),
        find: '.catch((error: unknown) => this.#fail(write, error))',
        replace: '.catch(() => this.#completed(write))',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'write-error-retried',
    broken: 'a write that failed is tried again, and then believed',
    source: "faults: F1; ATC '20: fsync failures",
    edits: [
      {
        file: runtime('log/log-writer'),
        find: 'this.#perform(write)\n      .then(() => this.#completed(write))',
        replace:
          'this.#perform(write)\n      .catch(() => this.#perform(write))\n      .then(() => this.#completed(write))',
      },
    ],
    hunters: [tested('raft-core', 'test/runtime/log/log-writer.test.ts')],
  },
  {
    name: 'disk-stall-unnoticed',
    broken: 'a leader whose disk hangs goes on leading',
    source: 'hashicorp/raft #503, #612, #666',
    edits: [
      {
        file: runtime('lanes'),
        find: `submit({ type: 'storage-stalled' })`,
        replace: '',
      },
    ],
    hunters: [tested('raft-core', 'test/raft/disk.test.ts')],
  },
]
