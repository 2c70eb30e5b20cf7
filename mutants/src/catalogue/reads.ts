// Linearizable reads (dissertation §6.4).
import { type Mutant, ordinary, targeted, tested } from '../mutant.ts'

const READ_INDEX = 'packages/raft-core/src/consensus/leadership/read-index.ts'

export const reads: readonly Mutant[] = [
  {
    name: 'read-before-first-commit',
    broken: 'a new leader answers reads before it has committed an entry of its term',
    source: 'etcd #7331; Redis-Raft #18, #19; raft-rs 8c95a3f',
    edits: [
      {
        file: READ_INDEX,
        find: 'else if (needsIndex && state.commitIndex < leadership.firstIndex)',
        replace: 'else if (needsIndex && state.commitIndex < 0)',
      },
    ],
    hunters: [ordinary(200)],
  },
  {
    name: 'read-without-any-entry-of-the-term',
    broken: 'a new leader appends no entry of its term, and answers reads at once',
    source: '§8; faults: noNoop',
    edits: [
      {
        file: 'packages/raft-core/src/consensus/election/leadership.ts',
        find: `state.log.append(1, term)\n  state.effects.push({ type: 'append-noop', index: firstIndex, term })`,
        replace: '',
      },
      {
        file: READ_INDEX,
        find: 'else if (needsIndex && state.commitIndex < leadership.firstIndex)',
        replace: 'else if (needsIndex && state.commitIndex < 0)',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'read-without-quorum',
    broken: 'a leader answers reads without asking whether it still leads',
    source: 'd-engine #381; Jepsen, etcd 2014',
    edits: [
      {
        file: READ_INDEX,
        find: 'leadership.reads.push({ readId, index: state.commitIndex, round: leadership.round + 1 })',
        replace: 'leadership.reads.push({ readId, index: state.commitIndex, round: 0 })',
      },
    ],
    hunters: [ordinary(100), targeted('stalls', 200)],
  },
  {
    name: 'read-confirmed-by-earlier-round',
    broken: 'a heartbeat that left before a read was asked for confirms it',
    source: 'etcd #20418; antfly #599',
    edits: [
      {
        file: READ_INDEX,
        find: 'leadership.reads.push({ readId, index: state.commitIndex, round: leadership.round + 1 })',
        replace:
          'leadership.reads.push({ readId, index: state.commitIndex, round: leadership.round })',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/leadership/read-index.test.ts')],
  },
  {
    name: 'read-confirmed-by-any-answer',
    broken: 'any late answer to a heartbeat confirms the reads that wait',
    source: 'etcd #20418',
    edits: [
      {
        file: 'packages/raft-core/src/consensus/leadership/heartbeat.ts',
        find: 'peer.contact(heartbeat.sentAt, heartbeat.round)',
        replace: 'peer.contact(heartbeat.sentAt, leadership.round)',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/leadership/read-index.test.ts')],
  },
  {
    name: 'read-before-applied',
    broken: 'a read is answered before the state machine has reached its index',
    source: 'dissertation §6.4; Redis-Raft #30',
    edits: [
      {
        file: 'packages/raft-core/src/runtime/calls/reads.ts',
        find: `const isApplied = appliedIndex >= index`,
        replace: `const isApplied = appliedIndex >= 0`,
      },
    ],
    hunters: [ordinary(200)],
  },
  {
    name: 'lease-outlives-a-stall',
    broken: 'the lease still serves reads after the event loop stood still',
    source: 'dissertation §6.4.1',
    edits: [
      {
        file: 'packages/raft-core/src/consensus/election/check-quorum.ts',
        find: `if (contact < leadership.stalledAt || state.now >= contact + leaseMs) return false`,
        replace: `if (state.now >= contact + leaseMs) return false`,
      },
    ],
    hunters: [
      targeted('lease', 200),
      tested('raft-core', 'test/consensus/leadership/read-index.test.ts'),
    ],
  },
  {
    name: 'lease-from-any-voter',
    broken: 'the lease rests on voters that have not answered, or that vote right after a restart',
    source: 'dissertation §6.4.1',
    edits: [
      {
        file: 'packages/raft-core/src/consensus/election/check-quorum.ts',
        find: `return leadership.peers.every((peer) => peer.isRaftkit || !isVoter(peer.server))`,
        replace: `return leadership.peers.every((peer) => peer.isRaftkit || isVoter(peer.server))`,
      },
    ],
    hunters: [
      targeted('lease', 200),
      tested('raft-core', 'test/consensus/leadership/read-index.test.ts'),
    ],
  },
  {
    name: 'lease-survives-a-hand-over',
    broken: 'the lease serves reads while a TimeoutNow may be under way',
    source: 'dissertation §3.10',
    edits: [
      {
        file: 'packages/raft-core/src/consensus/election/check-quorum.ts',
        find: `if (leadership.hasAskedToCampaign) return false`,
        replace: ``,
      },
    ],
    hunters: [
      targeted('lease', 200),
      tested('raft-core', 'test/consensus/leadership/read-index.test.ts'),
    ],
  },
  {
    name: 'vote-right-after-a-restart',
    broken: 'a restarted server votes although the leader it heard may hold a lease',
    source: 'dissertation §6.4.1',
    edits: [
      {
        file: 'packages/raft-core/src/consensus/election/request-vote.ts',
        find: `if (state.now < state.quietUntil) return true`,
        replace: ``,
      },
    ],
    hunters: [
      targeted('lease', 200),
      tested('raft-core', 'test/consensus/election/request-vote.test.ts'),
    ],
  },
]
