// Who decides in a configuration: the one place in which the simulator counts votes and copies.
import { type Configuration, membersOf, type Server } from '@raftkit/interface'
import { voterHalves } from './voter-halves.ts'

/** The members that count in quorums, of either half. */
export function votersOf(configuration: Configuration): readonly Server[] {
  return membersOf(configuration).filter(({ suffrage }) => suffrage === 'voter')
}

/** True when the voters that agree can decide: a majority of each half (§6). */
export function isQuorum(
  configuration: Configuration,
  agrees: (voter: Server) => boolean,
): boolean {
  return voterHalves(configuration).every(
    (voters) => 2 * voters.filter(agrees).length > voters.length,
  )
}
