// Membership calls, servers that leave, servers that come back without their disk (§6, dissertation §4).
import { type Edit, type Mutant, tested } from '../mutant.ts'

const changes = tested('raft-core', 'test/consensus/membership/membership-change.test.ts')
const randomRuns = tested('raft-core', 'test/consensus/random.test.ts')
const disks = tested('raft-core', 'test/consensus/election/disk-identity.test.ts')

function edit(file: string, find: string, replace: string): Edit {
  return { file: `packages/raft-core/src/consensus/${file}.ts`, find, replace }
}

export const membershipChanges: readonly Mutant[] = [
  {
    name: 'change-before-own-commit',
    broken: 'a leader changes the membership before it has committed an entry of its term',
    source: 'Ongaro, raft-dev July 2015 (single-server change bug)',
    edits: [
      edit(
        'membership/membership-change',
        'return latest.index === committed.index && state.commitIndex >= firstIndex',
        'return latest.index === committed.index && firstIndex > 0',
      ),
    ],
    hunters: [changes],
  },
  {
    name: 'two-changes-at-once',
    broken: 'a change is made while the one before it is not committed',
    source: 'openraft c8fccb22',
    edits: [
      edit(
        'membership/membership-change',
        'return latest.index === committed.index && state.commitIndex >= firstIndex',
        'return latest.index >= committed.index && state.commitIndex >= firstIndex',
      ),
    ],
    hunters: [randomRuns],
  },
  {
    name: 'change-in-force-when-committed',
    broken: 'a leader goes on counting the old voters after it has appended a configuration',
    source: '§6',
    edits: [
      edit(
        'membership/membership-change',
        '  configurationChanged(state)\n  followConfiguration(state, leadership)\n',
        '  configurationChanged(state)\n',
      ),
    ],
    hunters: [changes],
  },
  {
    name: 'prev-index-unchecked',
    broken: 'a change is made although another configuration is in force than its caller saw',
    source: 'hashicorp/raft nextConfiguration',
    edits: [
      edit(
        'membership/membership-change',
        'if (call.prevIndex > 0 && call.prevIndex !== index) {',
        'if (call.prevIndex > index) {',
      ),
    ],
    hunters: [changes],
  },
  {
    name: 'last-voter-removed',
    broken: 'a configuration without voters is accepted',
    source: 'hashicorp/raft checkConfiguration',
    edits: [
      edit(
        'configuration/configuration-change',
        "if (!servers.some(({ suffrage }) => suffrage === 'voter')) faults.push({ problem: 'no-voter' })",
        '',
      ),
    ],
    hunters: [changes],
  },
  {
    name: 'staged-at-once',
    broken: 'a staged server has its vote before it has caught up',
    source: 'dissertation §4.2.1; etcd #9161',
    edits: [edit('membership/catch-up', 'if (peer.matchIndex < round.target) return false', '')],
    hunters: [changes],
  },
  {
    name: 'staged-although-slow',
    broken: 'a server that needs longer than an election timeout for a round has its vote',
    source: 'dissertation §4.2.1',
    edits: [
      edit(
        'membership/catch-up',
        'if (state.now - round.startedAt < state.timing.electionTimeoutMs) return peer.isReachable',
        'if (state.now >= round.startedAt) return peer.isReachable',
      ),
    ],
    hunters: [changes],
  },
  {
    name: 'withdrawn-yet-made',
    broken: 'a change that nobody waits for any more is made',
    source: 'hashicorp/raft #498',
    edits: [
      edit(
        'membership/membership-change',
        'leadership.changes = changes.filter((call) => call.changeId !== changeId)',
        'leadership.changes = [...changes]',
      ),
    ],
    hunters: [changes],
  },
  {
    name: 'removed-server-not-told',
    broken: 'a removed server is never told that its removal is committed',
    source: 'hashicorp/raft: a removed server campaigns for ever',
    edits: [
      edit(
        'leadership/departure',
        'peer.commitNoticeAt = Math.min(peer.commitNoticeAt, state.now)',
        'peer.commitNoticeAt = Infinity',
      ),
    ],
    hunters: [changes],
  },
  {
    name: 'removed-server-still-counts',
    broken: 'a removed server that is being told counts for commitment',
    source: '§6',
    edits: [
      edit(
        'election/leadership',
        "removed.server = { ...removed.server, suffrage: 'nonvoter' }",
        '',
      ),
    ],
    hunters: [tested('raft-core', 'test/consensus/election/leadership.test.ts')],
  },
  {
    name: 'old-progress-of-a-new-server',
    broken: 'a server that is added again counts with what it had before it was removed',
    source: 'RethinkDB 2.2.3 (Jepsen)',
    edits: [
      edit(
        'election/leadership',
        'if (known === undefined || known.departure !== undefined)',
        'if (known === undefined)',
      ),
    ],
    hunters: [changes],
  },
  {
    name: 'leaving-leader-takes-proposals',
    broken:
      'a leader that removes itself goes on taking proposals, whose outcome it will never know',
    source: 'dissertation §4.2.2',
    edits: [
      edit(
        'calls/proposals',
        "if (!leadership.voters.selfVotes) return 'transfer-in-progress'",
        '',
      ),
    ],
    hunters: [changes],
  },
  {
    name: 'removed-leader-stays',
    broken: 'a leader goes on leading after its own removal is committed',
    source: 'Redis-Raft #3; openraft 0023cff1',
    edits: [
      edit(
        'replication/commitment',
        'if (!state.membership.isCommittedVoter(state.self.id)) leaveOffice(state, leadership)',
        '',
      ),
    ],
    hunters: [changes],
  },
  {
    name: 'needed-server-stays-silent',
    broken:
      'a server whose removal is not committed does not campaign, although nobody else can win',
    source: 'dissertation §4.2.2',
    edits: [
      edit(
        'election/election',
        '(state.isWanted || state.membership.mayBeVoter(state.self.id)) &&',
        '(state.isWanted || state.membership.isVoter(state.self.id)) &&',
      ),
    ],
    hunters: [changes, randomRuns],
  },
  {
    name: 'vote-of-a-server-without-one',
    broken: 'a candidate without a vote counts its own',
    source: 'dissertation §4.2.2',
    edits: [
      edit(
        'election/election',
        'if (state.membership.isVoter(state.self.id)) election.granted.add(state.self.id)',
        'election.granted.add(state.self.id)',
      ),
      edit(
        'configuration/quorum',
        'for (const id of half) if (granted.has(id)) count++',
        'count += half.length > 0 ? granted.size : 0',
      ),
    ],
    hunters: [randomRuns],
  },
  {
    name: 'vote-refused-by-an-old-configuration',
    broken: 'a candidate is refused by a configuration older than its own',
    source: 'found by the random runs: two servers that need each other wait for ever',
    edits: [
      edit(
        'election/request-vote',
        'return state.log.isBehind(lastLogIndex, lastLogTerm)',
        'return state.log.isBehind(lastLogIndex, lastLogTerm + 1) && false',
      ),
    ],
    hunters: [tested('raft-core', 'test/consensus/election/request-vote.test.ts')],
  },
  {
    name: 'vote-of-a-lost-disk',
    broken: 'the votes and acknowledgements of a server that lost its disk count',
    source: 'RethinkDB 2.2.3 (Jepsen); KIP-853',
    edits: [edit('incoming', 'if (hasOtherDisk(state, peer, event.diskId)) {', 'if (false) {')],
    hunters: [disks],
  },
  {
    name: 'disk-known-from-a-late-answer',
    broken: 'a server that was removed and added again is known by the disk that it had before',
    source: 'simulator, a seed of frequent joint changes',
    edits: [edit('incoming', 'if (peer.awaits(sendId)) {', 'if (sendId > 0) {')],
    hunters: [disks],
  },
  {
    name: 'change-given-up-and-made',
    broken: 'a change whose caller gave up in the turn in which it asked is made all the same',
    source: 'honest outcomes',
    edits: [
      {
        file: 'packages/raft-core/src/runtime/calls/membership-changes.ts',
        find: 'const events = this.#events.filter((event) => event.changeId !== changeId)',
        replace: 'const events = this.#events.filter((event) => event.changeId > 0)',
      },
    ],
    hunters: [tested('raft-core', 'test/raft/membership.test.ts')],
  },
  {
    name: 'vote-for-a-lost-disk',
    broken: 'a candidate that lost its disk is given votes',
    source: 'KIP-853',
    edits: [
      edit(
        'election/request-vote',
        'if (isMember(state, from) && !hasOtherDisk(state, from.id, from.diskId)) return false',
        'if (isMember(state, from)) return false',
      ),
    ],
    hunters: [disks],
  },
  {
    name: 'vote-by-a-lost-disk',
    broken: 'a server that knows that it lost its disk votes',
    source: 'KIP-853',
    edits: [
      edit(
        'election/request-vote',
        'if (state.isStorageStalled || hasForgotten(state, request) || isStranger(state, request))',
        'if (state.isStorageStalled || isStranger(state, request))',
      ),
    ],
    hunters: [disks],
  },
]
