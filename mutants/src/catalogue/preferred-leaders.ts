// Who shall lead, when the configuration says so: hand-overs that a leader makes by itself.
import { type Mutant, tested } from '../mutant.ts'

const consensus = (file: string): string => `packages/raft-core/src/consensus/${file}.ts`
const hunters = [tested('raft-core', 'test/consensus/leadership/preferred-leader.test.ts')]

export const preferredLeaders: readonly Mutant[] = [
  {
    name: 'unsteady-server-preferred',
    broken: 'leadership goes to a preferred server as soon as it answers',
    source: 'preferred-leader: ten election timeouts without interruption',
    edits: [
      {
        file: consensus('leadership/preferred-leader'),
        find: 'if (state.now - peer.steadySince < waitMs) continue',
        replace: 'if (peer.steadySince === Infinity) continue',
      },
    ],
    hunters,
  },
  {
    name: 'interruption-forgotten',
    broken: 'the time of a preferred server goes on while it does not answer',
    source: 'preferred-leader: hysteresis',
    edits: [
      {
        file: consensus('leadership/preferred-leader'),
        find: '      : Infinity\n',
        replace: '      : peer.steadySince\n',
      },
    ],
    hunters,
  },
  {
    name: 'failed-hand-over-repeated-at-once',
    broken:
      'a leader offers leadership to a server that does not take it over and over, refusing commands meanwhile',
    source: 'preferred-leader: back-off',
    edits: [
      {
        file: consensus('leadership/preferred-leader'),
        find: '  preference.offers++\n',
        replace: '',
      },
    ],
    hunters,
  },
  {
    name: 'disagreement-without-end',
    broken: 'servers whose priorities contradict each other hand leadership around for ever',
    source: 'preferred-leader: at most three returns',
    edits: [
      {
        file: consensus('state/preference'),
        find: 'preference.returned++',
        replace: 'preference.returned = 0',
      },
    ],
    hunters: [...hunters, tested('raft-core', 'test/raft/preferred-leader.test.ts')],
  },
]
