// Which servers count, and which configuration is in force (§6).
import { type Mutant, tested } from '../mutant.ts'

const consensus = (file: string): string => `packages/raft-core/src/consensus/${file}.ts`

export const membership: readonly Mutant[] = [
  {
    name: 'nonvoter-asked-for-vote',
    broken: 'a candidate asks servers without a vote, and counts their answers',
    source: 'openraft d000ee20; hashicorp/raft 6e41709',
    edits: [
      {
        file: consensus('election/election'),
        find: 'if (!isVoter(server) || server.id === state.self.id) continue',
        replace: 'if (server.id === state.self.id) continue',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/election/election.test.ts')],
  },
  {
    name: 'nonvoter-campaigns',
    broken: 'a server without a vote campaigns',
    source: 'hashicorp/raft 656e6c0; etcd-io/raft db54973; raft-rs 24280e8',
    edits: [
      {
        file: consensus('election/election'),
        find: '(state.isWanted || state.membership.mayBeVoter(state.self.id)) &&',
        replace: '!state.membership.isEmpty &&',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/election/election.test.ts')],
  },
  {
    name: 'nonvoter-counted-for-commit',
    broken: 'a copy on a server without a vote counts towards a majority',
    source: 'hashicorp/raft 6e41709; faults: learnerQuorum',
    edits: [
      {
        file: consensus('election/leadership'),
        find: 'const voters = new Set(members.filter(isVoter).map(({ id }) => id))',
        replace: 'const voters = new Set(members.map(({ id }) => id))',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/replication/commitment.test.ts')],
  },
  {
    name: 'configuration-not-rolled-back',
    broken: 'a configuration whose entry is removed stays in force',
    source: '§6; canonical/raft #250, #323',
    edits: [
      {
        file: consensus('configuration/membership'),
        find: 'while (this.#known.length > 0 && this.latest.index >= from) this.#known.pop()',
        replace: 'while (this.#known.length > 0 && from < 0) this.#known.pop()',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/configuration/membership.test.ts')],
  },
]
