// What people do to a cluster: restore a backup, recover by force, change options, forward commands.
import { type Mutant, ordinary, tested } from '../mutant.ts'

const core = (file: string): string => `packages/raft-core/src/${file}.ts`
const restored = [
  tested('raft-core', 'test/raft/restore.test.ts'),
  tested('raft-core', 'test/consensus/calls/restore.test.ts'),
]
const recovered = [tested('raft-core', 'test/raft/recover-cluster.test.ts')]

export const operations: readonly Mutant[] = [
  {
    name: 'snapshot-without-its-configuration',
    broken: 'getConfiguration does not look at the snapshot, which alone has what was forced',
    source: 'raftkit: getConfiguration',
    edits: [
      {
        file: core('bootstrap'),
        find: 'if (snapshot === undefined || snapshot.configurationIndex',
        replace: 'if (snapshot !== undefined || snapshot!.configurationIndex',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'restore-tells-no-caller',
    broken: 'commands that a restore threw away never reject',
    source: 'hashicorp/raft: ErrAbortedByRestore',
    edits: [{ file: core('runtime/snapshots/restores'), find: '    onBegin()\n', replace: '' }],
    hunters: restored,
  },
  {
    name: 'restore-at-an-index-that-is-taken',
    broken: 'a restored snapshot has the index of an entry that other servers hold',
    source: 'hashicorp/raft: user restore, max(last, meta.Index) + 1',
    edits: [
      {
        file: core('consensus/calls/restore'),
        find: 'Math.max(log.lastIndex, atLeast) + 1',
        replace: 'Math.max(log.lastIndex, atLeast)',
      },
    ],
    hunters: restored,
  },
  {
    name: 'restore-below-the-backup',
    broken: 'a restored snapshot has an index below that of the backup',
    source: 'hashicorp/raft: user restore, max(last, meta.Index) + 1',
    edits: [
      {
        file: core('consensus/calls/restore'),
        find: 'Math.max(log.lastIndex, atLeast) + 1',
        replace: 'Math.max(log.lastIndex, 0) + 1',
      },
    ],
    hunters: restored,
  },
  {
    name: 'restore-changes-the-members',
    broken: 'a restored snapshot brings members of its own instead of keeping those of the cluster',
    source: 'hashicorp/raft: user restore keeps the configuration',
    edits: [
      {
        file: core('consensus/calls/restore'),
        find: 'const configuration = membership.committed\n',
        replace:
          'const configuration = { ...membership.committed, configuration: { servers: membership.committed.configuration.servers.slice(0, 1) } }\n',
      },
    ],
    hunters: restored,
  },
  {
    name: 'recovery-without-the-log',
    broken: 'a recovery by force drops the entries after the snapshot',
    source: 'hashicorp/raft: RecoverCluster applies the whole log',
    edits: [
      {
        file: core('recover-cluster'),
        find: '  await applyAll(storage, applied.index, index)\n',
        replace: '',
      },
    ],
    hunters: recovered,
  },
  {
    name: 'recovery-keeps-the-old-members',
    broken: 'a recovery by force leaves the configuration as it was',
    source: 'hashicorp/raft: RecoverCluster',
    edits: [
      {
        file: core('recover-cluster'),
        find: 'await save(storage, { index, term, configuration, configurationIndex: index })',
        replace:
          'await save(storage, { index, term, configuration: applied.configuration.configuration, configurationIndex: index })',
      },
    ],
    hunters: recovered,
  },
  {
    name: 'recovery-drops-the-log-first',
    broken:
      'a recovery by force removes the log although its snapshot is not the one that the next start takes up',
    source: 'recover-cluster: checkNewest',
    edits: [
      { file: core('recover-cluster'), find: '  await checkNewest(storage, meta)\n', replace: '' },
    ],
    hunters: recovered,
  },
  {
    name: 'reload-resets-what-is-left-out',
    broken: 'options that reloadConfig does not name get their defaults again',
    source: 'hashicorp/raft: ReloadConfig copies zero values',
    edits: [
      {
        file: core('reloadable-config'),
        find: '{ ...config, ...Object.fromEntries(given) }',
        replace:
          '{ ...config, trailingLogs: 10_240, snapshotThreshold: 8192, ...Object.fromEntries(given) }',
      },
    ],
    hunters: [tested('raft-core', 'test/raft/reload-config.test.ts')],
  },
  {
    name: 'reload-unchecked',
    broken: 'options that cannot be used together are taken while the server runs',
    source: 'hashicorp/raft: ReloadConfig validates',
    edits: [{ file: core('reloadable-config'), find: '  validateConfig(next)\n', replace: '' }],
    hunters: [tested('raft-core', 'test/raft/reload-config.test.ts')],
  },
  {
    name: 'refused-admission-of-unknown-outcome',
    broken: 'whoever has a command forwarded is not told that it was not even admitted',
    source: 'forwarding: safe to retry',
    edits: [
      {
        file: core('runtime/network/forwarding'),
        find: 'if (request.kind === undefined && wasNotAdmitted(error))',
        replace: 'if (request.kind === undefined && wasNotAdmitted(undefined))',
      },
    ],
    hunters: [tested('raft-core', 'test/raft/forwarding.test.ts')],
  },
]
