// Linearizable reads (dissertation §6.4).
import { type Mutant, ordinary, targeted, tested } from '../mutant.ts'

const READ_INDEX = 'packages/raft-core/src/consensus/leadership/read-index.ts'
const READS = 'packages/raft-core/src/runtime/calls/reads.ts'

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
    hunters: [
      targeted('lease', 200),
      tested('raft-core', 'test/consensus/leadership/read-index.test.ts'),
    ],
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
  // Not to be seen in a whole cluster: the lease is counted on a clock that goes on while the event loop stands still, and
  // every question is stepped with the time of its own turn, so a stall that outlives the lease has ended it by then. The
  // defence is for clocks that stand still with the process.
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
    hunters: [tested('raft-core', 'test/consensus/leadership/read-index.test.ts')],
  },
  // Not to be seen in the simulated world, whose voters are all raftkit. What is left is a voter that was not heard yet: its
  // contact is as old as its place in the configuration, and whoever campaigns by that configuration has heard this leader
  // since then, so that its own timeout outlasts the lease.
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
    hunters: [tested('raft-core', 'test/consensus/leadership/read-index.test.ts')],
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
      targeted('lease', 100),
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
      targeted('lease', 100),
      tested('raft-core', 'test/consensus/election/request-vote.test.ts'),
    ],
  },
  {
    name: 'bounded-from-the-answer',
    broken:
      'a bounded read counts from the moment at which the leader answered, not from the question',
    source: 'dissertation §6.4; CockroachDB, closed timestamps',
    edits: [
      {
        file: READS,
        find: `if (isApplied) this.#freshAt = Math.max(this.#freshAt, at)`,
        replace: `if (isApplied) this.#freshAt = this.#clock.now()`,
      },
      {
        file: READS,
        find: `      this.#freshAt = Math.max(this.#freshAt, at)
      for (const caller of callers) this.#resolve(caller, readIndex)`,
        replace: `      this.#freshAt = Math.max(at, this.#clock.now())
      for (const caller of callers) this.#resolve(caller, readIndex)`,
      },
    ],
    hunters: [ordinary(300)],
  },
  {
    name: 'bounded-before-applied',
    broken: 'a bounded read takes a state for new that lacks entries which the leader named',
    source: 'dissertation §6.4; TiKV, stale read without resolved index',
    edits: [
      {
        file: READS,
        find: `    if (isApplied) this.#freshAt = Math.max(this.#freshAt, at)
    else this.#wait`,
        replace: `    this.#freshAt = Math.max(this.#freshAt, at)
    if (!isApplied) this.#wait`,
      },
    ],
    hunters: [ordinary(300)],
  },
  {
    name: 'bounded-without-a-bound',
    broken: 'a bounded read is served as of any read that was asked before',
    source: 'the promise of maxStalenessMs',
    edits: [
      {
        file: 'packages/raft-core/src/read-options.ts',
        find: `staleness() <= maxStalenessMs`,
        replace: `staleness() < Infinity`,
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'bounded-trusts-a-check-of-leadership',
    broken: 'a proof of leadership counts as a read of everything committed',
    source: 'dissertation §6.4',
    edits: [
      {
        file: READS,
        find: `    if (readers[0]!.kind === 'leadership') return
`,
        replace: ``,
      },
    ],
    hunters: [ordinary(300)],
  },
  {
    name: 'follower-read-before-applied',
    broken: 'a follower answers a read as soon as the leader has named the index',
    source: 'dissertation §6.4; etcd, ReadIndex on followers',
    edits: [
      {
        file: 'packages/raft-core/src/runtime/network/read-forwarding.ts',
        find: `reads.confirmed(readId, indexOf(answer), readableIndex())`,
        replace: `reads.confirmed(readId, indexOf(answer), Infinity)`,
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'question-for-each-reader',
    broken: 'a follower asks its leader for the index of each read by itself',
    source: 'dissertation §6.4',
    edits: [
      {
        file: READS,
        find: `      readers.filter(({ kind }) => kind === 'index' || kind === 'applied'),
`,
        replace: `      ...readers.filter(({ kind }) => kind === 'index' || kind === 'applied').map((one) => [one]),
`,
      },
    ],
    hunters: [ordinary(300)],
  },
  {
    name: 'removed-server-reads-on',
    broken: 'a server that was removed goes on asking the leader for its reads',
    source: 'dissertation §4.2.2',
    edits: [
      {
        file: 'packages/raft-core/src/runtime/server.ts',
        find: `kind.startsWith('applied') ? standing.exclusion()`,
        replace: `kind.startsWith('applied') ? standing.stoppedBy`,
      },
    ],
    hunters: [ordinary(300)],
  },
  {
    name: 'read-in-the-middle-of-a-restore',
    broken: 'a read sees a state machine of which a snapshot has replaced the half',
    source: 'found by the simulator',
    edits: [
      {
        file: 'packages/raft-core/src/raft.ts',
        find: `while (lanes.applier.isReplacing && standing.stoppedBy === undefined)`,
        replace: `while (lanes.applier.isReplacing && standing.stoppedBy === null)`,
      },
    ],
    hunters: [ordinary(300), tested('raft-core', 'test/raft/reads.test.ts')],
  },
]
