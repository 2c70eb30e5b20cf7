import { membersOf, type ServerId } from '@raftkit/interface'
import type { RaftConfiguration } from '@raftkit/raft-core'
import type { Violate } from './violation.ts'

/**
 * A server that knows a committed configuration without itself, and none after it, does not campaign: a removed server
 * that was told must not disturb the others (dissertation §4.2.2 and §4.2.3). One that is a member without a vote may have
 * been asked for one (see ADR 0010).
 */
export function checkQuietness(
  violate: Violate,
  id: ServerId,
  { configuration, index, committedIndex }: Omit<RaftConfiguration, 'isJoint'>,
): void {
  if (index > committedIndex || membersOf(configuration).some((member) => member.id === id)) return
  violate('removed servers keep quiet', `${id} campaigns, and knows that it was removed`)
}
