import type { ServerId } from '@raftkit/interface'
import type { RaftConfiguration } from '@raftkit/raft-core'
import { votersOf } from './quorums.ts'
import type { Violate } from './violation.ts'

/**
 * A server that knows a committed configuration without its vote, and none after it, does not campaign: a removed
 * server that was told must not disturb the others (dissertation §4.2.2 and §4.2.3).
 */
export function checkQuietness(
  violate: Violate,
  id: ServerId,
  { configuration, index, committedIndex }: Omit<RaftConfiguration, 'isJoint'>,
): void {
  if (index > committedIndex || votersOf(configuration).some((voter) => voter.id === id)) return
  violate('removed servers keep quiet', `${id} campaigns, and knows that it has no vote`)
}
