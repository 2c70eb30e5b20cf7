// Several members at once: two halves that must both decide, and how their time begins and ends (§6).
import { type Edit, type Mutant, tested } from '../mutant.ts'

const consensus = (file: string): string => `packages/raft-core/src/consensus/${file}.ts`
const edit = (file: string, find: string, replace: string): Edit => ({
  file: consensus(file),
  find,
  replace,
})

const paper = tested('raft-core', 'test/consensus/paper/joint-consensus.test.ts')
const plans = tested('raft-core', 'test/consensus/membership/joint-change.test.ts')
const raftkitPeers = tested('raft-core', 'test/consensus/leadership/raftkit-peers.test.ts')

const HALVES = 'return next === undefined ? half(servers) : half(servers, half(next))'

export const jointConsensus: readonly Mutant[] = [
  {
    name: 'joint-vote-over-union',
    broken: 'in the joint state a majority of all voters together elects',
    source: 'faults D5',
    edits: [
      edit(
        'configuration/quorum',
        'return halves.every((half) => countIn(half, granted) >= quorumSize(half.length))',
        'return granted.size >= quorumSize(new Set(halves.flat()).size)',
      ),
    ],
    hunters: [paper],
  },
  {
    name: 'joint-commit-over-union',
    broken: 'in the joint state a majority of all voters together commits and confirms reads',
    source: 'faults D5',
    edits: [
      edit(
        'election/leadership',
        HALVES,
        'return half(next === undefined ? servers : membersOf({ servers, next }))',
      ),
    ],
    hunters: [paper],
  },
  {
    name: 'joint-commit-by-new-only',
    broken: 'in the joint state a majority of the new voters commits and confirms reads',
    source: 'faults: further mutants',
    edits: [edit('election/leadership', HALVES, 'return half(next ?? servers)')],
    hunters: [paper],
  },
  {
    name: 'joint-commit-by-old-only',
    broken: 'in the joint state a majority of the old voters commits and confirms reads',
    source: 'faults D5',
    edits: [edit('election/leadership', HALVES, 'return half(servers)')],
    hunters: [paper],
  },
  {
    name: 'joint-either-half-decides',
    broken:
      'in the joint state commits, reads and leases need a majority of one half, whichever has it',
    source: 'Raft §6',
    edits: [edit('configuration/quorum', ': Math.min(reached,', ': Math.max(reached,')],
    hunters: [paper],
  },
  {
    name: 'joint-left-before-committed',
    broken: 'the joint state is ended before its entry is committed',
    source: 'Raft §6',
    edits: [
      edit(
        'membership/membership-change',
        'return latest.index === committed.index && state.commitIndex >= firstIndex',
        'return (latest.index === committed.index || state.membership.isJoint) && state.commitIndex >= firstIndex',
      ),
    ],
    hunters: [plans],
  },
  {
    name: 'joint-left-twice',
    broken: 'the joint state is ended again as long as its end is not committed',
    source: 'etcd-io/raft bd3c759; faults D6',
    edits: [
      edit(
        'membership/joint-change',
        'const { next: servers } = membership.latest.configuration',
        'const { next: servers } = membership.committed.configuration',
      ),
      edit(
        'membership/membership-change',
        'return latest.index === committed.index && state.commitIndex >= firstIndex',
        'return (latest.index === committed.index || committed.configuration.next !== undefined) && state.commitIndex >= firstIndex',
      ),
    ],
    hunters: [plans],
  },
  {
    name: 'joint-left-in-a-term-without-commit',
    broken: 'a new leader ends a joint state before it has committed an entry of its own term',
    source: 'Ongaro, raft-dev July 2015; faults D1',
    edits: [
      edit(
        'membership/membership-change',
        'return latest.index === committed.index && state.commitIndex >= firstIndex',
        'return latest.index === committed.index && (state.membership.isJoint || state.commitIndex >= firstIndex)',
      ),
    ],
    hunters: [plans],
  },
  {
    name: 'joint-without-catch-up',
    broken: 'new servers get their votes at once, however far behind they are',
    source: 'dissertation §4.2.1; faults D15',
    edits: [edit('membership/joint-change', 'return count === ids.length', 'return count >= 0')],
    hunters: [plans],
  },
  {
    name: 'joint-learners-staged',
    broken:
      'the new servers of a plan have their votes from a later leader, without the rest of the plan',
    source: 'ADR 0011',
    edits: [
      edit(
        'configuration/membership-plan',
        "after = withServer(after, { ...(known ?? { suffrage: 'nonvoter' }), id, address })",
        "after = withServer(after, { ...(known ?? { suffrage: 'staging' }), id, address })",
      ),
    ],
    hunters: [tested('raft-core', 'test/consensus/configuration/membership-plan.test.ts')],
  },
  {
    name: 'joint-told-too-early',
    broken: 'a caller is told that the change is made while the joint state still lasts',
    source: 'Raft §6',
    edits: [
      edit(
        'calls/membership-calls',
        'if (appendedChange === undefined || state.membership.isJoint) return',
        'if (appendedChange === undefined) return',
      ),
    ],
    hunters: [plans],
  },
  {
    name: 'joint-dropped-with-disks',
    broken: 'the second half is lost when the disks of the members are written down',
    source: 'faults D4',
    edits: [
      edit(
        'election/disk-identity',
        ': { servers: named(servers), next: named(next) }',
        ': { servers: named(servers) }',
      ),
    ],
    hunters: [tested('raft-core', 'test/consensus/election/disk-identity.test.ts')],
  },
  {
    name: 'joint-dropped-from-snapshot',
    broken: 'a snapshot on disk has the first half of a joint configuration only',
    source: 'etcd-io/raft e515a67; faults D4',
    edits: [
      {
        file: 'packages/snapshot-file/src/meta-file.ts',
        find: '...(next === undefined ? {} : { RaftkitNext: storedServers(next) }),',
        replace: '',
      },
    ],
    hunters: [tested('snapshot-file', 'test/meta-file.test.ts')],
  },
  {
    name: 'joint-dropped-on-the-wire',
    broken: 'the second half of a joint configuration is skipped by its reader',
    source: 'faults D4',
    edits: [
      {
        file: 'packages/wire/src/configuration.ts',
        find: 'return next === undefined ? { servers } : { servers, next }',
        replace: 'return { servers }',
      },
    ],
    hunters: [tested('wire', 'test/configuration.test.ts')],
  },
  {
    name: 'joint-sent-to-hashicorp',
    broken:
      'a peer that is not raftkit is sent a joint configuration, and takes it for its first half',
    source: 'ADR 0011',
    edits: [
      edit(
        'leadership/raftkit-peers',
        'return !peer.isRaftkit && peer.nextIndex <= membership.lastJoint.from',
        'return false',
      ),
    ],
    hunters: [raftkitPeers],
  },
  {
    name: 'joint-snapshot-for-hashicorp',
    broken: 'a peer that is not raftkit is sent a snapshot that was taken in the joint state',
    source: 'ADR 0011',
    edits: [
      edit(
        'leadership/raftkit-peers',
        'return !peer.isRaftkit && log.snapshot.index < membership.lastJoint.until',
        'return false',
      ),
    ],
    hunters: [raftkitPeers],
  },
  {
    name: 'joint-with-hashicorp',
    broken: 'the joint state is entered although a member is not raftkit',
    source: 'ADR 0011',
    edits: [
      edit(
        'leadership/raftkit-peers',
        "if (kind === 'hashicorp' || (kind === 'silent' && staying.has(server.id)))",
        "if (kind === 'silent' && staying.has(server.id))",
      ),
    ],
    hunters: [raftkitPeers],
  },
  {
    name: 'joint-vote-before-catch-up',
    broken: 'a server that must not be sent the log is needed to commit, at once',
    source: 'random runs, seed 17566',
    edits: [
      edit(
        'membership/membership-change',
        "asked.type === 'add-voter' && mustCatchUp(state, leadership, asked.id)",
        'false',
      ),
    ],
    hunters: [raftkitPeers],
  },
  {
    name: 'joint-handed-to-one-that-goes',
    broken: 'leadership is handed to a server that is about to lose its vote',
    source: 'dissertation §4.2.2',
    edits: [
      edit(
        'configuration/membership',
        'const { servers, next = servers } = this.latest.configuration',
        'const { servers: next } = this.latest.configuration',
      ),
    ],
    hunters: [plans],
  },
]
