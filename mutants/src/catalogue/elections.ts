// Votes, terms and leaders (§5.2, §5.4.1).
import { type Mutant, ordinary, targeted, tested } from '../mutant.ts'

const consensus = (file: string): string => `packages/raft-core/src/consensus/${file}.ts`

export const elections: readonly Mutant[] = [
  {
    name: 'vote-answered-before-durable',
    broken: 'a vote is answered before term and vote are on disk',
    source: 'Figure 2; openraft ee460f37; hashicorp/raft #661',
    edits: [
      {
        file: consensus('election/request-vote'),
        find: `answer(state, requestId, { type: 'request-vote', term: state.hardState.term, granted })`,
        replace: `state.effects.push({ type: 'answer', requestId, answer: { type: 'request-vote', term: state.hardState.term, granted } })`,
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'vote-asked-before-durable',
    broken: 'a candidate asks for votes before its own is on disk',
    source: 'Figure 2; faults: votePersistLate',
    edits: [
      {
        file: consensus('state/outgoing'),
        find: 'const after = durablePoint(state)\n',
        replace: `const after = request.type === 'request-vote' ? undefined : durablePoint(state)\n`,
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'vote-not-persisted',
    broken: 'a vote for another is kept in memory only',
    source: 'Figure 2; willemt/raft bd1dabd',
    edits: [
      {
        file: consensus('election/request-vote'),
        find: 'saveHardState(state, { term, votedFor: { id: from.id, address: from.address } })',
        replace: 'state.hardState = { term, votedFor: { id: from.id, address: from.address } }',
      },
    ],
    hunters: [ordinary(200)],
  },
  {
    name: 'vote-lost-on-restart',
    broken: 'a server that starts again knows its term, but not its vote in it',
    source: '§5.2; peers: regression 2',
    edits: [
      {
        file: 'packages/raft-core/src/runtime/start/start-up.ts',
        find: 'const hardState = (await stableStore.loadHardState()) ?? { term: 0 }',
        replace: 'const hardState = { term: (await stableStore.loadHardState())?.term ?? 0 }',
      },
    ],
    hunters: [ordinary(300), targeted('votes', 300)],
  },
  {
    name: 'term-lost-on-restart',
    broken:
      'a server that starts again takes the term of its log for its own, and no check compares them',
    source: 'faults: termLost; F11',
    edits: [
      {
        file: 'packages/raft-core/src/runtime/start/start-up.ts',
        find: 'const hardState = (await stableStore.loadHardState()) ?? { term: 0 }',
        replace: 'const hardState = { term: 0 }',
      },
      {
        file: 'packages/raft-core/src/runtime/start/start-up.ts',
        find: 'if (hardState.term >= lastTerm) return',
        replace: 'if (hardState.term >= 0) return',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'vote-twice',
    broken: 'a server votes for every candidate of a term',
    source: '§5.2',
    edits: [
      {
        file: consensus('election/request-vote'),
        find: 'if (votedFor !== undefined) return isSameCandidate(votedFor, from)',
        replace: 'void votedFor; void isSameCandidate',
      },
      {
        file: consensus('election/request-vote'),
        find: 'if (votedFor !== undefined) return\n',
        replace: 'void votedFor\n',
      },
      {
        file: consensus('state/hard-state'),
        find: 'hardState.term > term || votedFor === undefined,',
        replace: 'hardState.term > term || votedFor !== null,',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'vote-without-log-check',
    broken: 'a server votes for a candidate whose log lacks entries',
    source: '§5.4.1; hashicorp/raft #94',
    edits: [
      {
        file: consensus('election/request-vote'),
        find: 'return state.log.isUpToDate(request.lastLogIndex, request.lastLogTerm)',
        replace: 'return true',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'vote-by-index-only',
    broken: 'the longer log wins, whatever its last term',
    source: '§5.4.1; openraft a48a3282',
    edits: [
      {
        file: consensus('state/term-log'),
        find: 'if (lastTerm !== this.#lastTerm) return lastTerm > this.#lastTerm\n',
        replace: '',
      },
    ],
    hunters: [ordinary(200)],
  },
  {
    name: 'vote-by-term-only',
    broken: 'the newer last term wins or draws, whatever the length of the log',
    source: '§5.4.1; hashicorp/raft 441bd09',
    edits: [
      {
        file: consensus('state/term-log'),
        find: 'return lastIndex >= this.#lastIndex',
        replace: 'return true',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'quorum-off-by-one',
    broken: 'half of the voters are a quorum',
    source: 'hashicorp/raft 163a55f; openraft d60f1e85',
    edits: [
      {
        file: consensus('configuration/quorum'),
        find: 'return Math.floor(voters / 2) + 1',
        replace: 'return Math.max(1, Math.floor(voters / 2))',
      },
    ],
    hunters: [ordinary(50)],
  },
  {
    name: 'quorum-off-by-one-when-even',
    broken: 'two of four voters are a quorum',
    source: 'RedisLabs/raft #34',
    edits: [
      {
        file: consensus('configuration/quorum'),
        find: 'return Math.floor(voters / 2) + 1',
        replace: 'return Math.ceil(voters / 2)',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/configuration/quorum.test.ts')],
  },
  {
    name: 'duplicate-vote-counted',
    broken: 'an answer that comes twice is two votes',
    source: 'openraft d000ee20; faults: dupVoteCount',
    edits: [
      {
        file: consensus('election/election'),
        find: 'election.asked.delete(sendId)\n',
        replace: '',
      },
      {
        file: consensus('election/election'),
        find: 'election.granted.add(peer)',
        replace: 'election.granted.add(`${peer} ${election.granted.size}`)',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/election/election.test.ts')],
  },
  {
    name: 'wanted-server-stays-quiet',
    broken: 'a learner whose vote somebody needs, and who has more of the log, waits for ever',
    source: 'raftkit: simulator, lease profile, seed 539',
    edits: [
      {
        file: consensus('election/election'),
        find: '(state.isWanted || state.membership.mayBeVoter(state.self.id)) &&',
        replace: 'state.membership.mayBeVoter(state.self.id) &&',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/election/wanted.test.ts')],
  },
  {
    name: 'leader-without-a-vote-stays',
    broken: 'a leader that never had a vote leads on, and takes no commands',
    source: 'raftkit',
    edits: [
      {
        file: consensus('replication/commitment'),
        find: `if (state.membership.committed !== committed) {
    changeCommitted(state, leadership)
    tellDeparted(state, leadership)
  }`,
        replace: `if (state.membership.committed === committed) return
  changeCommitted(state, leadership)
  tellDeparted(state, leadership)`,
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/election/wanted.test.ts')],
  },
  {
    name: 'late-vote-counted',
    broken: 'a vote of an earlier round and term counts in this one',
    source: '§5.2; openraft 511f33c7',
    edits: [
      {
        file: consensus('election/election'),
        find: `if (election?.phase !== 'vote' || election.asked.get(sendId) !== peer) return`,
        replace: `if (election?.phase !== 'vote') return`,
      },
      {
        file: consensus('election/election'),
        find: 'if (!granted || term !== state.hardState.term) return',
        replace: 'if (!granted) return',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/election/election.test.ts')],
  },
  {
    name: 'leader-ignores-higher-term',
    broken: 'a leader goes on after an answer with a higher term',
    source: '§5.1; openraft 4015cc38',
    edits: [
      {
        file: consensus('incoming'),
        find: 'if (answer.term > state.hardState.term) {',
        replace: 'if (answer.term === Infinity) {',
      },
    ],
    hunters: [ordinary(400)],
  },
  {
    name: 'request-of-lower-term-followed',
    broken: 'a leader of an earlier term is followed',
    source: '§5.1; butaneprotocol/oracles #32',
    edits: [
      {
        file: consensus('replication/append-entries'),
        find: 'if (request.term < state.hardState.term) {',
        replace: 'if (request.term < 0) {',
      },
    ],
    hunters: [ordinary(100)],
  },
]
