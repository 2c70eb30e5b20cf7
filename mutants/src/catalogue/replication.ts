// The log on its way, and what of it is committed (§5.3, §5.4.2).
import { type Mutant, ordinary, targeted, tested } from '../mutant.ts'

const consensus = (file: string): string => `packages/raft-core/src/consensus/${file}.ts`
const runtime = (file: string): string => `packages/raft-core/src/runtime/${file}.ts`

export const replication: readonly Mutant[] = [
  {
    name: 'commit-older-term-by-count',
    broken: 'a majority of copies of an entry of an earlier term commits it (figure 8)',
    source: '§5.4.2; logcabin #44',
    edits: [
      {
        file: consensus('replication/commitment'),
        find: 'if (index <= state.commitIndex || index < leadership.firstIndex) return',
        replace: 'if (index <= state.commitIndex) return',
      },
    ],
    hunters: [ordinary(300), targeted('flap', 300)],
  },
  {
    name: 'commit-beyond-proven',
    broken:
      'a leader names its whole commit index, a follower takes it without the bound of what the request proves',
    source: 'Figure 2, rule 5; dragonboat #393',
    edits: [
      {
        file: consensus('replication/append-entries'),
        find: 'Math.min(leaderCommit, proven)',
        replace: 'Math.min(leaderCommit, state.log.lastIndex)',
      },
      {
        file: consensus('replication/replication'),
        find: 'const leaderCommit = Math.min(state.commitIndex, lastIndex)',
        replace: 'const leaderCommit = state.commitIndex',
      },
    ],
    hunters: [ordinary(300), targeted('flap', 300)],
  },
  {
    name: 'refusal-counts-as-success',
    broken: 'a refused AppendEntries still raises the match index',
    source: 'CCF: commit moved by a NACK',
    edits: [
      {
        file: consensus('replication/replication'),
        find: 'appendRefused(state, peer, sent, answer)\n    return\n',
        replace: 'appendRefused(state, peer, sent, answer)\n',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'match-from-last-index',
    broken:
      'a success counts for everything that the follower has, not for what the request proved',
    source: 'CCF #6016',
    edits: [
      {
        file: consensus('replication/replication'),
        find: 'peer.matchIndex = Math.max(peer.matchIndex, sent.lastIndex)',
        replace: 'peer.matchIndex = Math.max(peer.matchIndex, answer.lastLogIndex)',
      },
    ],
    hunters: [ordinary(500)],
  },
  {
    name: 'late-answer-counts',
    broken: 'an answer that belongs to nothing under way counts for what the follower has',
    source: 'openraft cecb5de8, 369e5d1c',
    edits: [
      {
        file: consensus('replication/replication'),
        find: 'const sent = peer.takeAppend(sendId, answer.success)\n',
        replace:
          'const sent = peer.takeAppend(sendId, answer.success) ?? { sendId, prevLogIndex: peer.nextIndex - 1, lastIndex: Math.min(answer.lastLogIndex, state.log.lastIndex), bytes: 0, sentAt: state.now, round: 0 }\n',
      },
    ],
    hunters: [ordinary(200)],
  },
  {
    name: 'no-previous-term-check',
    broken: 'a follower accepts entries after one of another term',
    source: '§5.3; peers: regression 3',
    edits: [
      {
        file: consensus('replication/append-entries'),
        find: 'if (term === prevLogTerm) return true\n',
        replace: 'if (term !== undefined) return true\n',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'gap-accepted',
    broken: 'a follower accepts entries that do not follow its last one',
    source: '§5.3; Redis-Raft #43',
    edits: [
      {
        file: consensus('replication/append-entries'),
        find: 'return prevLogIndex < firstIndex\n',
        replace: 'return true\n',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'matching-suffix-truncated',
    broken: 'a follower removes entries that match, although it has acknowledged them',
    source: 'Figure 2, rule 3; openraft 9540c904; CCF #5674',
    edits: [
      {
        file: consensus('replication/append-entries'),
        find: 'const conflict = log.firstConflict(entries)\n',
        replace:
          'const first = Math.max(entries.firstIndex, state.commitIndex + 1)\n  const conflict = first <= Math.min(log.lastIndex, entries.lastIndex) ? first : undefined\n',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'suffix-beyond-request-truncated',
    broken: 'a follower removes what comes after the last entry of a request',
    source: 'Figure 2, rule 3; CCF #5674',
    edits: [
      {
        file: consensus('replication/append-entries'),
        find: 'const conflict = log.firstConflict(entries)\n',
        replace:
          'const end = Math.max(entries.lastIndex, state.commitIndex)\n  const conflict = log.firstConflict(entries) ?? (log.lastIndex > end ? end + 1 : undefined)\n',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'conflict-not-removed',
    broken: 'a follower keeps its own entries where the leader has others',
    source: 'Figure 2, rule 3',
    edits: [
      {
        file: consensus('replication/append-entries'),
        find: 'const conflict = log.firstConflict(entries)\n',
        replace:
          'const conflict = entries.firstIndex < 0 ? log.firstConflict(entries) : undefined\n',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'acknowledged-before-durable',
    broken: 'a follower acknowledges entries that its disk does not have yet',
    source: 'Figure 2; Jepsen, NATS 2.12.1',
    edits: [
      {
        file: consensus('replication/append-entries'),
        find: 'const term = proven > state.durableIndex ? state.log.termAt(proven) : undefined',
        replace: 'const term = proven < 0 ? state.log.termAt(proven) : undefined',
      },
    ],
    hunters: [ordinary(50)],
  },
  {
    name: 'answers-do-not-wait-for-disk',
    broken: 'what should wait for the disk leaves at once',
    source: 'Figure 2; etcd #14370',
    edits: [
      {
        file: runtime('network/outbox'),
        find: '(entry === undefined || entry.index <= this.#durability.durableIndex)',
        replace: '(entry === undefined || entry.index >= 0)',
      },
    ],
    hunters: [ordinary(50)],
  },
  {
    name: 'answers-outlive-truncation',
    broken: 'an acknowledgement that waits for the disk leaves although its entry was replaced',
    source: 'etcd-io/raft: append ABA race',
    edits: [
      {
        file: runtime('network/outbox'),
        find: 'if (item.after.entry !== undefined && item.after.entry.index >= from) item.drop()',
        replace: 'if (item.after.entry !== undefined && from < 0) item.drop()',
      },
    ],
    hunters: [tested('raft-core', 'test/runtime/network/outbox.test.ts')],
  },
  {
    name: 'late-durability-believed',
    broken:
      'a write that ends after its entries were replaced makes the new ones durable: neither the log writer nor consensus compares',
    source: 'etcd-io/raft: async_storage_writes_append_aba_race; peers: regression 20',
    edits: [
      {
        file: consensus('replication/commitment'),
        find: 'if (index <= state.durableIndex || state.log.termAt(index) !== term) return',
        replace: 'if (index <= state.durableIndex || index > state.log.lastIndex) return',
      },
      {
        file: runtime('log/write-queue'),
        find: `if (write?.kind === 'append') write.last = Math.min(write.last, from - 1)`,
        replace: `if (write?.kind === 'append' && from < 0) write.last = from - 1`,
      },
    ],
    hunters: [ordinary(300), targeted('flap', 300)],
  },
  {
    name: 'own-copy-before-durable',
    broken: 'a leader counts its own copy before its disk has it',
    source: 'etcd #14370; openraft a9f696a9',
    edits: [
      {
        file: consensus('replication/commitment'),
        find: 'leadership.voters.reached(state.durableIndex, matchIndexOf)',
        replace: 'leadership.voters.reached(state.log.lastIndex, matchIndexOf)',
      },
    ],
    hunters: [ordinary(50)],
  },
  {
    name: 'no-way-back',
    broken: 'a leader whose entries do not fit tries the same place again',
    source: '§5.3; openraft 6d53aa12',
    edits: [
      {
        file: consensus('replication/replication'),
        find: 'peer.clearBackOff()\n  peer.enterProbe(next)',
        replace: 'peer.backOff(state.now, longestPause(state))',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'window-leaks',
    broken: 'the bytes of answered requests stay in the window',
    source: 'etcd-io/raft e419ba5, a370b6f',
    edits: [
      {
        file: consensus('state/progress'),
        find: 'this.inflightBytes -= this.inflight[other]!.bytes',
        replace: 'this.inflightBytes -= other === position ? 0 : this.inflight[other]!.bytes',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'applied-before-committed',
    broken: 'a batch is applied to its end, beyond the commit index',
    source: '§5.3; faults: applyOnAppend',
    edits: [
      {
        file: runtime('state-machine/applier'),
        find: 'to: Math.min(batch.lastIndex, this.#target)',
        replace: 'to: batch.lastIndex',
      },
    ],
    hunters: [ordinary(100)],
  },
  {
    name: 'no-no-op',
    broken: 'a new leader appends no entry of its own term',
    source: '§5.4.2, dissertation §6.4',
    edits: [
      {
        file: consensus('election/leadership'),
        find: `state.log.append(1, term)\n  state.effects.push({ type: 'append-noop', index: firstIndex, term })`,
        replace: '',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/election/election.test.ts')],
  },
]
