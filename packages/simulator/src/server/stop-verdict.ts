import { messageOf, type ServerId, type StateMachine } from '@raftkit/interface'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { damageMark } from './damage-mark.ts'
import type { Surroundings } from './surroundings.ts'

/** A server whose Raft has stopped by itself. */
export interface StoppedServer {
  readonly id: ServerId
  readonly disk: SimulatedDisk
  /** Undefined when it did not even start. */
  readonly raft: unknown
}

/** Asks whether a server had a reason to stop. False when it must not start again with the disk that it has. */
export function judgeStop<M extends StateMachine<R>, R>(
  { marks, restores, violate }: Surroundings<M, R>,
  { id, disk, raft }: StoppedServer,
  error: unknown,
  isDiskSick: boolean,
): boolean {
  const mark = damageMark(error, disk.image, raft !== undefined)
  if (mark !== undefined) {
    marks.hit(mark)
    return false
  }
  if (restores.maySeeItselfAlone(disk.image)) {
    marks.hit('a server with a lost restore stopped')
    return false
  }
  if (isDiskSick) marks.hit('a write failed and the server stopped')
  else violate('no server breaks', `${id} stopped: ${messageOf(error)}`)
  return true
}
