// A server is trusted for what it remembers: whom it voted for, which entries it acknowledged. The configuration names
// the disk that it remembers with. Under the same id with another disk it has forgotten, and counts for nothing until
// it is removed and added again (dissertation §4.2 takes members to keep their state; Kafka's KIP-853 has the same).
import {
  type Configuration,
  type DiskId,
  membersOf,
  type Server,
  type ServerId,
} from '@raftkit/interface/protocol'
import type { Leadership, State } from '../state/state.ts'

/** True for a server that the latest configuration knows with another disk. One that names no disk is believed. */
export function hasOtherDisk(state: State, id: ServerId, diskId: DiskId | undefined): boolean {
  const known = state.membership.find(id)?.diskId
  return known !== undefined && diskId !== undefined && known !== diskId
}

/** True for a server that is itself known with another disk: it gives no votes and asks for none. */
export function hasLostDisk(state: State): boolean {
  return hasOtherDisk(state, state.self.id, state.self.diskId)
}

/** Says so, once, when a configuration tells this server that its disk is not the one that it is known with. */
export function noteLostDisk(state: State): void {
  const isLost = hasLostDisk(state)
  if (isLost && !state.isDiskLost) state.effects.push({ type: 'disk-lost', server: state.self.id })
  state.isDiskLost = isLost
}

/**
 * `configuration` with the disks of its servers, as far as they are not in it. Only when every member is known to be
 * raftkit, since it goes to all of them.
 */
export function withDisks(
  { self }: State,
  { peers }: Leadership,
  configuration: Configuration,
): Configuration {
  const disks = new Map<ServerId, DiskId>()
  if (self.diskId !== undefined) disks.set(self.id, self.diskId)
  for (const { server, diskId, departure } of peers)
    if (diskId !== undefined && departure === undefined) disks.set(server.id, diskId)
  const members = membersOf(configuration)
  if (!members.every(({ id }) => disks.has(id))) return configuration
  if (members.every(({ diskId }) => diskId !== undefined)) return configuration
  const named = (servers: readonly Server[]): readonly Server[] =>
    servers.map((server) => ({ diskId: disks.get(server.id)!, ...server }))
  const { servers, next } = configuration
  return next === undefined
    ? { servers: named(servers) }
    : { servers: named(servers), next: named(next) }
}
