import type { ServerId, StateMachine } from '@raftkit/interface'
import type { DiskEvents } from '../disk/simulated-disk.ts'
import type { Surroundings } from './surroundings.ts'

/** What the server of a disk does about what happens to it. */
export interface DiskOwner {
  /** A moment came that a crash may follow: `share` of such moments do. */
  readonly onCrashPoint: (share: number, what: string) => void
  readonly onFailure: () => void
}

/** What happens to the disk of a server, as story, checks, marks and moments for a crash. */
export function diskEvents<M extends StateMachine<R>, R>(
  id: ServerId,
  { options, trace, marks, violate }: Surroundings<M, R>,
  { onCrashPoint, onFailure }: DiskOwner,
): DiskEvents {
  const { storeCall, writeDurable } = options.crashPoints
  return {
    onCall: () => onCrashPoint(storeCall, 'a call of a store'),
    onDurable: (what) => {
      trace.tell(id, 'has on disk:', what)
      onCrashPoint(writeDurable, 'a write')
    },
    onFailure: (what) => {
      onFailure()
      trace.tell(id, 'fails to write:', what)
    },
    onCut: (fate) => {
      trace.tell(id, 'has on disk a write under way:', fate)
      if (fate === 'kept') marks.hit('a crash left a write whole')
      if (fate === 'lost') marks.hit('a crash took a write away')
    },
    onMisuse: (message) => violate('store contract', `${id}: ${message}`),
  }
}
