// Who may campaign and who may go on leading: pre-votes, check-quorum, transfers, time (dissertation §3.10, §6.2, §9.6).
import { type Mutant, ordinary, targeted, tested } from '../mutant.ts'

const consensus = (file: string): string => `packages/raft-core/src/consensus/${file}.ts`

export const leadership: readonly Mutant[] = [
  {
    name: 'no-pre-vote',
    broken: 'a server campaigns without asking first, although configured to ask',
    source: 'dissertation §9.6; faults: noPreVote',
    edits: [
      {
        file: consensus('deadlines'),
        find: 'if (state.timing.preVote || !state.membership.mayBeVoter(state.self.id))',
        replace: 'if (state.now === Infinity)',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/deadlines.test.ts')],
  },
  {
    name: 'votes-depose-leaders-that-are-heard',
    broken:
      'a server that hears no leader campaigns without asking first, and those that hear one vote all the same: each layer alone keeps the leader in place',
    source: 'dissertation §4.2.3, §9.6; faults: noPreVote; CockroachDB #104042',
    edits: [
      {
        file: consensus('deadlines'),
        find: 'if (state.timing.preVote || !state.membership.mayBeVoter(state.self.id))',
        replace: 'if (state.now === Infinity)',
      },
      {
        file: consensus('election/request-vote'),
        find: 'if (hearsOtherLeader(state, from) && !request.leadershipTransfer) return false',
        replace: 'if (hearsOtherLeader(state, from) && state.now === Infinity) return false',
      },
    ],
    hunters: [targeted('core', 100)],
  },
  {
    name: 'pre-vote-granted-while-leader-heard',
    broken: 'a server that hears its leader encourages others to campaign',
    source: 'dissertation §9.6; etcd #8501',
    edits: [
      {
        file: consensus('election/pre-vote'),
        find: ' &&\n    !hearsOtherLeader(state, from)',
        replace: '',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/election/pre-vote.test.ts')],
  },
  {
    name: 'pre-vote-raises-term',
    broken: 'a pre-vote request raises the term of the server that is asked',
    source: 'dissertation §9.6; hashicorp/raft #609',
    edits: [
      {
        file: consensus('election/pre-vote'),
        find: 'const own = state.hardState.term\n',
        replace: `if (term > state.hardState.term) becomeFollower(state, term, 'asked for a pre-vote')\n  const own = state.hardState.term\n`,
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/election/pre-vote.test.ts')],
  },
  {
    name: 'pre-vote-ignores-higher-term',
    broken: 'a server that lags behind in terms never learns so from refusals of its pre-votes',
    source: 'etcd #8243; canonical/raft #279; raft-rs 3012d3c',
    edits: [
      {
        file: consensus('election/pre-vote'),
        find: '} else if (term > state.hardState.term + 1) {',
        replace: '} else if (term === Infinity) {',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/election/pre-vote.test.ts'), ordinary(200)],
  },
  {
    name: 'no-check-quorum',
    broken: 'a leader that no quorum answers goes on leading',
    source: 'dissertation §6.2; CockroachDB #104042',
    edits: [
      {
        file: consensus('election/check-quorum'),
        find: 'if (state.now >= end)',
        replace: 'if (end === -Infinity)',
      },
    ],
    hunters: [targeted('core', 200)],
  },
  {
    name: 'transfer-to-lagging-target',
    broken: 'TimeoutNow goes to a server that lacks entries of the leader',
    source: 'dissertation §3.10; hashicorp/raft #413; openraft #1747',
    edits: [
      {
        file: consensus('leadership/leadership-transfer'),
        find: 'else if (transfer.sendId === undefined && target.matchIndex === state.log.lastIndex)',
        replace: 'else if (transfer.sendId === undefined)',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/leadership/leadership-transfer.test.ts')],
  },
  {
    name: 'late-timeout-now-taken',
    broken:
      'a TimeoutNow of an earlier term starts an election in spite of the lease of a later leader',
    source: 'faults: C5; raftkit: found by reading',
    edits: [
      {
        file: consensus('leadership/leadership-transfer'),
        find: 'if (term !== undefined && term !== state.hardState.term)',
        replace: 'if (term !== undefined && term > state.hardState.term)',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/leadership/leadership-transfer.test.ts')],
  },
  {
    name: 'additions-for-everybody',
    broken: 'a server that is not known to be raftkit is sent the term of a TimeoutNow',
    source: 'raftkit: found by reading',
    edits: [
      {
        file: consensus('leadership/transfer-target'),
        find: `return isRaftkit ? { type: 'timeout-now', term } : { type: 'timeout-now' }`,
        replace: `return isRaftkit || term > 0 ? { type: 'timeout-now', term } : { type: 'timeout-now' }`,
      },
    ],
    hunters: [tested('raft-core', 'test/raft/hashicorp-peers.test.ts')],
  },
  {
    name: 'proposals-accepted-during-transfer',
    broken: 'a leader takes commands while it hands over',
    source: 'dissertation §3.10; hashicorp/raft #581',
    edits: [
      {
        file: consensus('calls/proposals'),
        find: `return leadership.transfer === undefined ? undefined : 'transfer-in-progress'`,
        replace: 'return undefined',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/leadership/leadership-transfer.test.ts')],
  },
  {
    name: 'timeouts-before-input',
    broken: 'deadlines act before the messages that waited are heard',
    source: 'peers: one event loop; openraft 5e15946d',
    edits: [
      {
        file: 'packages/raft-core/src/runtime/turn.ts',
        find: 'for (const event of events) this.#step(event, moment, effects)\n',
        replace: `this.#step({ type: 'turn-ended' }, moment, effects)\n    for (const event of events) this.#step(event, moment, effects)\n`,
      },
    ],
    hunters: [tested('raft-core', 'test/runtime/turn.test.ts')],
  },
  {
    name: 'stall-counts-as-silence',
    broken: 'the time in which the event loop stood still counts towards the election timeout',
    source: 'peers: one event loop',
    edits: [
      {
        file: consensus('deadlines'),
        find: 'state.electionDeadline += forMs\n',
        replace: '',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/deadlines.test.ts')],
  },
]
