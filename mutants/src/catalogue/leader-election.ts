// `createLeaderElection`: who may work, and when that is over.
import { type Mutant, tested } from '../mutant.ts'

const election = (file: string): string => `packages/raft-node/src/election/${file}.ts`

export const leaderElection: readonly Mutant[] = [
  {
    name: 'signal-waits-for-a-timer',
    broken: 'after a stall the signal of a leader says that it leads until a timer has run',
    source: 'held-leadership: the signal looks at the clock',
    edits: [
      {
        file: election('held-leadership'),
        find: 'get: (): boolean => !this.isHeld',
        replace: 'get: (): boolean => this.#isOver',
      },
    ],
    hunters: [tested('raft-node', 'test/election/held-leadership.test.ts')],
  },
  {
    name: 'leadership-revived-after-a-stall',
    broken: 'a confirmation that was asked for before a stall makes a lease that ran out go on',
    source: 'held-leadership: one that has run out stays so',
    edits: [
      {
        file: election('held-leadership'),
        find: 'if (this.isHeld) this.#until = Math.max(this.#until, until)',
        replace: 'this.#until = Math.max(this.#until, until)',
      },
    ],
    hunters: [tested('raft-node', 'test/election/held-leadership.test.ts')],
  },
  {
    name: 'hand-over-before-the-work-ends',
    broken: 'a leader that stops hands over while its callback still works',
    source: 'leader-election: in this order',
    edits: [
      {
        file: election('leader-election'),
        find: 'await settledWithin(this.#clock, timeoutMs, this.#lease.close())',
        replace:
          'await settledWithin(this.#clock, timeoutMs, Promise.resolve(void this.#lease.close()))',
      },
    ],
    hunters: [tested('raft-node', 'test/election/leader-election.test.ts')],
  },
  {
    name: 'fencing-token-goes-back',
    broken: 'a later leader has a lower token than an earlier one',
    source: 'leader-election: tokens only grow',
    edits: [
      {
        file: election('lease-watch'),
        find: 'const { index: fencingToken } = await this.#raft.barrier()',
        replace: 'const fencingToken = 2 ** 40 - (await this.#raft.barrier()).index',
      },
    ],
    hunters: [
      tested('raft-node', 'test/election/lease-watch.test.ts'),
      tested('raft-node', 'test/election/leader-election.test.ts'),
    ],
  },
]
