// What a store and a snapshot store owe to those who trust them: what was promised is there, or somebody says so.
import { type Mutant, tested } from '../mutant.ts'

const level = (file: string): string => `packages/store-level/src/${file}.ts`
const files = (file: string): string => `packages/snapshot-file/src/${file}.ts`

export const disks: readonly Mutant[] = [
  {
    name: 'term-and-vote-in-two-writes',
    broken: 'a crash can leave a new term without the vote that was saved with it',
    source: 'hashicorp/raft #661; faults: A2',
    edits: [
      {
        file: level('stable/level-stable'),
        find: 'await this.#change(HARD_STATE_KEY, record, this.#revision.valuesChecksum)',
        replace:
          'await this.#change(HARD_STATE_KEY, sealHardState({ term }), this.#revision.valuesChecksum)\n    await this.#change(HARD_STATE_KEY, record, this.#revision.valuesChecksum)',
      },
    ],
    hunters: [tested('store-level', 'test/crash-points.test.ts')],
  },
  {
    name: 'synced-tail-lost-unnoticed',
    broken: 'a store that lost entries it had promised opens as if nothing had happened',
    source: 'NuRaft #185; faults: F6, F10',
    edits: [
      {
        file: level('opening/verification'),
        find: 'if (lastIndex === 0 || checksumAtBoundary === logChecksum) return',
        replace: 'if (lastIndex >= 0 || checksumAtBoundary === logChecksum) return',
      },
    ],
    hunters: [tested('store-level', 'test/damaged-files.test.ts')],
  },
  {
    name: 'old-vote-unnoticed',
    broken: 'a store that holds an older term and vote than it had promised opens',
    source: 'faults: F11, termLost',
    edits: [
      {
        file: level('opening/verification'),
        find: 'if (term < boundary.term || isOtherVote)',
        replace: 'if (term < 0 && isOtherVote)',
      },
    ],
    hunters: [tested('store-level', 'test/damaged-contents.test.ts')],
  },
  {
    name: 'block-checksum-unchecked',
    broken: 'changed bytes in the log are read as if they had been written',
    source: 'faults: F7',
    edits: [
      {
        file: level('log/block'),
        find: 'if (checksum !== crc32(value.subarray(4)))',
        replace: 'if (checksum < 0)',
      },
    ],
    hunters: [tested('store-level', 'test/log/block.test.ts')],
  },
  {
    name: 'misplaced-block-accepted',
    broken: 'a block that is intact but old, or belongs elsewhere, passes for the right one',
    source: 'faults: F12',
    edits: [
      {
        file: level('log/log-scan'),
        find: 'if (block.previousChecksum !== previous.checksum)',
        replace: 'if (block.previousChecksum < 0)',
      },
    ],
    hunters: [tested('store-level', 'test/damaged-contents.test.ts')],
  },
  {
    name: 'record-checksum-unchecked',
    broken: 'changed bytes of term and vote are read as if they had been written',
    source: 'faults: F7',
    edits: [
      {
        file: level('database/record'),
        find: 'if (sealed.length < CHECKSUM_BYTES || checksumIn(sealed) !== checksumOf(name, bytes))',
        replace: 'if (sealed.length < CHECKSUM_BYTES)',
      },
    ],
    hunters: [tested('store-level', 'test/database/record.test.ts')],
  },
  {
    name: 'boundary-not-lowered-before-truncation',
    broken: 'a crash while a conflicting suffix is removed leaves a store that refuses to open',
    source: 'faults: F15',
    edits: [
      {
        file: level('log/level-log'),
        find: 'await this.#keeper.recordTwice(promiseOf(end))\n',
        replace: '',
      },
    ],
    hunters: [tested('store-level', 'test/crash-points.test.ts')],
  },
  {
    name: 'failed-store-used-again',
    broken: 'a store goes on after a write that failed',
    source: 'faults: F4; classic-level acknowledged 49 writes that were gone',
    edits: [
      {
        file: level('handle'),
        find: 'this.#failure ??= { cause }\n',
        replace: '',
      },
    ],
    hunters: [tested('store-level', 'test/failure.test.ts')],
  },
  {
    name: 'snapshot-checksum-unchecked',
    broken: 'a snapshot with changed bytes is handed out',
    source: 'faults: E11; NATS #7556',
    edits: [
      {
        file: files('state-file'),
        find: 'if (Buffer.compare(sum.digest(), checksum) !== 0)',
        replace: 'if (checksum.length === 0)',
      },
    ],
    hunters: [tested('snapshot-file', 'test/file-snapshot-store.test.ts')],
  },
  {
    name: 'snapshot-renamed-before-sync',
    broken: 'a snapshot has its final name before its content is on disk',
    source: 'hashicorp/raft #229; etcd #22340',
    edits: [
      {
        file: files('file-snapshot-sink'),
        find: 'await state.sync()\n',
        replace: '',
      },
    ],
    hunters: [tested('snapshot-file', 'test/crash.test.ts')],
  },
  {
    name: 'snapshot-description-not-synced',
    broken: 'a snapshot has its final name before its description is on disk',
    source: 'faults: E3; Redis-Raft #654',
    edits: [
      {
        file: files('file-snapshot-sink'),
        find: 'await file.sync()\n',
        replace: '',
      },
    ],
    hunters: [tested('snapshot-file', 'test/crash.test.ts')],
  },
  {
    name: 'snapshot-directory-not-synced',
    broken: 'a crash takes the name of a snapshot away that was said to be saved',
    source: 'hashicorp/raft #229; etcd #6368',
    edits: [
      {
        file: files('file-snapshot-sink'),
        find: 'await fileSystem.syncDirectory(directory.path)\n',
        replace: '',
      },
    ],
    hunters: [tested('snapshot-file', 'test/crash.test.ts')],
  },
]
